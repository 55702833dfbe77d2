#include "merge/expression/foreign_operators.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "merge/operator.h"

namespace weightsmith::internal {
namespace {

struct ForeignOperator {
  std::string_view name;     // folded
  std::string_view nearest;  // an operator of ours
  std::string_view does;     // what it does beyond that; empty: it is the same
};

constexpr ForeignOperator kTable[] = {
    {"arcee", "arcee_fusion", ""},
    {"dare", "dare_linear", ""},
    {"geometric", "geometric_sum", ""},
    {"exchangeema", "ema", ""},
    {"gitrebasin", "rebasin", ""},
    {"identity", "copy", ""},
    {"karchermean", "karcher", ""},
    {"lerp", "weighted_sum", ""},
    {"mean", "average", ""},
    {"mix", "weighted_sum", ""},
    {"modelbreadcrumbs", "breadcrumbs", ""},
    {"modelsoup", "average", ""},
    {"naverage", "average", ""},
    {"perpendicularcomponent", "perpendicular", ""},
    {"sigmoid", "weighted_sum", "bends alpha by a sigmoid; {} takes alpha as it is"},
    {"singularvaluecalibration", "svc", ""},
    {"soup", "average", ""},
    {"sum", "weighted_sum", ""},
    {"tiesmerging", "ties", ""},
    {"tsv", "tsv_merge", ""},
    {"tsvm", "tsv_merge", ""},
    {"uniformsoup", "average", ""},
    {"weighted", "weighted_sum", ""},
};

std::string Folded(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    if (c == '-' || c == '_' || c == ' ') continue;
    folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return folded;
}

/// One of ours that is written otherwise: "DARE-TIES" for dare_ties; null for none.
const Operator* FindSpelledOtherwise(std::string_view name) {
  if (FindOperator(name) != nullptr) return nullptr;
  const std::string folded = Folded(name);
  const auto found = std::ranges::find_if(
      Operators(), [&](const Operator* op) { return Folded(op->name) == folded; });
  return found == Operators().end() ? nullptr : *found;
}

std::optional<ForeignOperator> Find(std::string_view name) {
  if (const Operator* op = FindSpelledOtherwise(name)) return ForeignOperator{name, op->name, {}};
  const auto* const row = std::ranges::find(kTable, Folded(name), &ForeignOperator::name);
  return row == std::end(kTable) ? std::nullopt : std::optional(*row);
}

}  // namespace

std::string ForeignOperatorLike(std::string_view name) {
  const std::optional<ForeignOperator> row = Find(name);
  return row && row->does.empty() ? std::string(row->nearest) : std::string();
}

std::string_view NearestToForeign(std::string_view name) {
  const std::optional<ForeignOperator> row = Find(name);
  return row ? row->nearest : std::string_view();
}

std::string AboutForeignOperator(std::string_view name) {
  if (FindSpelledOtherwise(name) != nullptr) return {};
  const std::optional<ForeignOperator> row = Find(name);
  if (!row) return {};
  if (row->does.empty()) return fmt::format("It is called {} here.", row->nearest);
  return fmt::format("{} is not here yet. It {}.", name,
                     fmt::format(fmt::runtime(row->does), row->nearest));
}

}  // namespace weightsmith::internal
