#include "cli/render/adapter_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/render/layout.h"
#include "cli/render/report_words.h"
#include "core/base/text.h"
#include "core/base/visible.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kMostNamed = 3;

std::string Some(const std::vector<std::string>& stems) {
  const std::size_t shown = std::min(kMostNamed, stems.size());
  std::string words;
  for (std::size_t i = 0; i < shown; ++i) {
    words += fmt::format("{}{}", i > 0 ? ", " : "", Visible(stems[i]));
  }
  if (stems.size() > shown) words += ", …";
  return words;
}

std::string Rows(const AdapterPart& part, const Shape& shape) {
  const std::uint64_t all = SizeAsMatrix(shape).rows;
  const RowRange range = RangeOfOurs(part.rows, all);
  std::string words;
  if (range.first > 0 || range.end < all) words = fmt::format("[{}:{}]", range.first, range.end);
  if (part.rows.size() > 1) words += " (rows in another order)";
  if (part.transposed) words += " (transposed)";
  return words;
}

std::string Numbers(const AppliedModule& applied) {
  const AdapterModule& module = *applied.part.module;
  std::string words(module.dora() ? "DoRA, " : "");
  words += module.family->id;
  if (module.rank > 0) words += fmt::format(", rank {}", module.rank);
  if (module.alpha) words += fmt::format(", alpha {}", FormatNumber(*module.alpha));
  if (module.family->rank != nullptr) words += fmt::format(", scale {:.4g}", module.scale);
  return words + fmt::format(", strength {}", FormatNumber(applied.strength));
}

}  // namespace

std::string AdapterClassLines(const Plan& plan) {
  std::string text;
  for (std::size_t m = 0; m < plan.models.size(); ++m) {
    if (plan.models[m].adapter == nullptr) continue;
    const std::string& name = plan.models[m].name;
    const AdapterClasses& classes = plan.adapters[m];
    text += fmt::format("{}: {} applied\n", name, Counted(classes.applied, "module"));
    for (const auto& group : classes.elsewhere) {
      text += fmt::format("{}: {} for {}, which is not in the model: {}\n", name,
                          Counted(group.stems.size(), "module"), group.why, Some(group.stems));
    }
    for (const auto& group : classes.ignored) {
      text += fmt::format("{}: {} ignored ({}): {}\n", name, FormatCount(group.stems.size()),
                          group.why, Some(group.stems));
    }
    for (const auto& group : classes.unmatched) {
      const std::size_t count = group.stems.size();
      text +=
          fmt::format("{}: {} {} nothing, which is allowed: {}\n", name, Counted(count, "module"),
                      count == 1 ? "changes" : "change", Some(group.stems));
    }
  }
  return text;
}

std::string AppliedTable(const Plan& plan) {
  std::string text;
  for (const AppliedModule& applied : plan.applied) {
    text += fmt::format("  {}: {} -> {}{}: {}\n", plan.models[applied.model].name,
                        Visible(applied.part.module->stem), Visible(applied.tensor),
                        Rows(applied.part, applied.shape), Numbers(applied));
  }
  return text;
}

std::string AdapterReportLines(const Plan& plan, const Report& report) {
  std::vector<TableRow> rows;
  for (std::uint32_t m = 0; m < plan.models.size(); ++m) {
    if (plan.models[m].adapter == nullptr) continue;
    Effect sum;
    const std::size_t modules = plan.adapters[m].applied;
    for (std::size_t i = 0; i < plan.applied.size(); ++i) {
      if (plan.applied[i].model != m) continue;
      sum += report.applied[i];
    }
    std::string words =
        fmt::format("{} applied, {}", Counted(modules, "module"), FormatEffect(sum));
    if (sum.changed > 0) {
      words += fmt::format("; {} of them differ after rounding as well",
                           Percent(sum.rounded, sum.changed));
    }
    rows.push_back({plan.models[m].name, words});
  }
  return rows.empty() ? "" : "Adapters:\n" + Table(rows, 40, kUnwrapped);
}

}  // namespace weightsmith::internal
