#include "cli/operator_names.h"

#include <fmt/format.h>

#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"
#include "merge/expression/foreign_operators.h"

namespace weightsmith::internal {

const Operator& OperatorNamed(std::string_view what, const std::string& name) {
  if (const Operator* op = FindOperator(name)) return *op;
  std::vector<std::string> known;
  for (const Operator* op : Operators()) known.emplace_back(op->name);
  const std::string about = AboutForeignOperator(name);
  constexpr std::string_view kMissing = " is not here yet. ";
  if (const std::size_t at = about.find(kMissing); at != std::string::npos) {
    throw Error(ErrorCode::kUsage, fmt::format("{}: {} is not here yet.", what, Quote(name)),
                fmt::format("{} 'weightsmith ops' lists the operators.",
                            about.substr(at + kMissing.size())));
  }
  throw Error(
      ErrorCode::kUsage,
      fmt::format("{}: unknown operator {}.{}", what, Quote(name),
                  about.empty() ? DidYouMean(name, known) : ""),
      fmt::format("{}{}'weightsmith ops' lists the operators.", about, about.empty() ? "" : " "));
}

}  // namespace weightsmith::internal
