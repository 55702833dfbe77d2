#include "cli/operator_names.h"

#include <fmt/format.h>

#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "merge/foreign_operators.h"

namespace weightsmith {

const Operator& OperatorNamed(std::string_view what, const std::string& name) {
  if (const Operator* op = FindOperator(name)) return *op;
  std::vector<std::string> known;
  for (const Operator* op : Operators()) known.emplace_back(op->name);
  const std::string about = AboutForeignOperator(name);
  throw Error(
      ErrorCode::kUsage,
      fmt::format("{}: unknown operator {}.{}", what, Quote(name),
                  about.empty() ? DidYouMean(name, known) : ""),
      fmt::format("{}{}'weightsmith ops' lists the operators.", about, about.empty() ? "" : " "));
}

}  // namespace weightsmith
