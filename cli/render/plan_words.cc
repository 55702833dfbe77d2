#include "cli/render/plan_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "cli/render/adapter_words.h"
#include "cli/render/layout.h"
#include "core/base/text.h"
#include "core/base/visible.h"
#include "merge/run/disk_needs.h"
#include "merge/run/earlier_run.h"

namespace weightsmith::internal {
namespace {

// Two decimals at least, as people write alphas, and as many more as the number needs, up to six;
// a weight too small for that keeps its digits.
std::string FormatCoefficient(double value) {
  if (std::abs(value) < 5e-7) return fmt::format("{:.2g}", value);
  std::string text = fmt::format("{:.6f}", value);
  while (text.ends_with('0') && text.size() - text.find('.') > 3) text.pop_back();
  return text;
}

std::string FormatSigned(double value) {
  if (value == 0) return "0";
  return (value < 0 ? "-" : "") + FormatCoefficient(std::abs(value));
}

std::vector<std::string> NamesOfTerms(const Plan& plan) {
  const std::vector<std::string_view> names = TermNames(plan);
  return {names.begin(), names.end()};
}

std::string ResultOf(const ComponentCoefficients& component, const Plan& plan) {
  if (!component.linear) return "not a sum of its inputs";
  const std::vector<std::string> names = NamesOfTerms(plan);
  if (component.uniform) return FormatCombination(component.coefficients, names);
  return FormatRanges(component.lowest, component.highest, names);
}

// The dtype that most tensors have; "…" where there are others.
std::string DTypeWord(const Anatomy& anatomy) {
  std::map<DType, std::uint64_t> counts;
  for (const ComponentAnatomy& component : anatomy.components) {
    for (const auto& [dtype, count] : component.dtypes) counts[dtype] += count;
  }
  if (counts.empty()) return "no tensors";
  const auto most =
      std::ranges::max_element(counts, {}, [](const auto& entry) { return entry.second; });
  return std::string(Info(most->first).word);
}

std::string ArchitectureWord(const Anatomy& anatomy) {
  if (anatomy.architecture == nullptr) return "unknown architecture";
  std::string word(anatomy.architecture->title);
  if (anatomy.variant != "base") word += " " + anatomy.variant;
  if (anatomy.scale != "full") word += fmt::format(" ({})", anatomy.scale);
  return word;
}

std::string PartLine(const Model& model, const Model::Part& part) {
  if (model.adapter != nullptr) {
    return fmt::format(
        "{}: {} (adapter, {}, {})", model.name, Visible(part.checkpoint->path().string()),
        Counted(model.adapter->modules.size(), "module"), FormatBytes(part.checkpoint->size()));
  }
  const std::string name =
      part.component ? fmt::format("{}.{}", model.name, *part.component) : model.name;
  return fmt::format("{}: {} ({}, {}, {})", name, Visible(part.checkpoint->path().string()),
                     ArchitectureWord(part.anatomy), DTypeWord(part.anatomy),
                     FormatBytes(part.checkpoint->size()));
}

std::string KeysLine(const ModelKeys& keys) {
  std::string line =
      fmt::format("{} matched, {} read, {} unmatched", Counted(keys.matched, "tensor"),
                  FormatCount(keys.used), FormatCount(keys.unmatched));
  if (keys.averages > 0) line += fmt::format(", {} of them EMA copies", FormatCount(keys.averages));
  if (keys.ema > 0)
    line += fmt::format(", {} left out",
                        keys.ema == 1 ? "1 EMA copy" : FormatCount(keys.ema) + " EMA copies");
  if (keys.weight_zero) line += "; its weight is 0";
  return line;
}

std::string ExactBytes(std::uint64_t bytes) {
  return fmt::format("{} ({})", FormatBytes(bytes), Counted(bytes, "byte"));
}

std::string TaskCounts(const Plan& plan) {
  const auto copied = std::ranges::count_if(
      plan.tasks, [](const Task& task) { return std::ranges::all_of(task.products, IsCopy); });
  return fmt::format("{}: {} computed, {} copied", FormatCount(plan.tasks.size()),
                     FormatCount(plan.tasks.size() - static_cast<std::size_t>(copied)),
                     FormatCount(static_cast<std::uint64_t>(copied)));
}

std::string DiskWords(const Plan& plan) {
  std::vector<std::string> words;
  for (const DiskNeed& need : DiskNeeds(plan)) {
    words.push_back(fmt::format("{} needed in {}, {} free", FormatBytes(need.needed),
                                Visible(need.folder.string()), FormatBytes(need.available)));
  }
  return fmt::format("{}", fmt::join(words, "; "));
}

std::string ResumeWords(const Plan& plan, const Resumption& resumption) {
  const std::string done = fmt::format("{} of {} done", FormatCount(resumption.tasks),
                                       Counted(plan.tasks.size(), "tensor"));
  if (resumption.bytes_to_verify == 0) return done;
  return fmt::format("{}; {} of them are read back first", done,
                     FormatBytes(resumption.bytes_to_verify));
}

}  // namespace

std::string FormatCombination(const std::vector<double>& coefficients,
                              const std::vector<std::string>& names) {
  std::string sum;
  for (std::size_t i = 0; i < coefficients.size(); ++i) {
    const double value = coefficients[i];
    if (value == 0) continue;
    if (sum.empty()) {
      sum = value < 0 ? "-" : "";
    } else {
      sum += value < 0 ? " - " : " + ";
    }
    const std::string factor = FormatCoefficient(std::abs(value));
    sum += factor == "1.00" ? names[i] : fmt::format("{}·{}", factor, names[i]);
  }
  return sum.empty() ? "0" : sum;
}

std::string FormatRanges(const std::vector<double>& lowest, const std::vector<double>& highest,
                         const std::vector<std::string>& names) {
  std::string sum;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string low = FormatSigned(lowest[i]);
    const std::string high = FormatSigned(highest[i]);
    if (low == "0" && high == "0") continue;
    if (!sum.empty()) sum += " + ";
    if (low == high) {
      sum += low == "1.00" ? names[i] : fmt::format("{}·{}", low, names[i]);
    } else {
      sum += fmt::format("({} to {})·{}", low, high, names[i]);
    }
  }
  return sum + ", by tensor";
}

std::vector<std::string> ResultLines(const Plan& plan, std::size_t output) {
  // Components that are made alike share a line, in the order in which they first appear.
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (const ComponentCoefficients& component : plan.coefficients[output]) {
    const std::string result = ResultOf(component, plan);
    auto group = std::ranges::find(groups, result, [](const auto& entry) { return entry.first; });
    if (group == groups.end()) group = groups.insert(groups.end(), {result, {}});
    group->second.push_back(component.component);
  }
  if (groups.size() == 1) return {fmt::format("result = {}", groups.front().first)};
  std::vector<std::string> lines;
  for (const auto& [result, components] : groups) {
    lines.push_back(fmt::format("{} = {}", fmt::join(components, ", "), result));
  }
  return lines;
}

std::vector<std::string> InputLines(const Plan& plan) {
  std::vector<std::string> lines;
  for (const Model& model : plan.models) {
    for (const Model::Part& part : model.parts) lines.push_back(PartLine(model, part));
  }
  return lines;
}

std::string ShortPlan(const Plan& plan) {
  std::string text;
  for (const std::string& line : InputLines(plan)) text += line + "\n";
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    if (plan.outputs.size() > 1)
      text += fmt::format("{}:\n", Visible(plan.outputs[i].spec.path.string()));
    for (const std::string& line : ResultLines(plan, i)) text += line + "\n";
  }
  return text + AdapterClassLines(plan);
}

std::string FullPlan(const Plan& plan, const RunOptions& options, bool modules) {
  std::string text = "Outputs:\n";
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    text += fmt::format("  {}\n", Visible(plan.outputs[i].spec.path.string()));
    for (const std::string& line : ResultLines(plan, i)) text += fmt::format("    {}\n", line);
  }
  text += "Inputs:\n";
  for (std::size_t i = 0; i < plan.models.size(); ++i) {
    for (const Model::Part& part : plan.models[i].parts) {
      text += fmt::format("  {}\n", PartLine(plan.models[i], part));
    }
    if (plan.models[i].adapter == nullptr) {
      text += fmt::format("    {}\n", KeysLine(plan.model_keys[i]));
    }
  }
  std::vector<TableRow> rows = {
      {"tensors", TaskCounts(plan)},
      {"reads", ExactBytes(plan.bytes_to_read)},
      {"writes", ExactBytes(plan.bytes_to_write)},
      {"memory", fmt::format("at most {}", FormatBytes(PeakMemory(plan, options)))},
      {"disk", DiskWords(plan)}};
  if (const auto resumption = FindResumption(plan, options)) {
    rows.push_back({"resume", ResumeWords(plan, *resumption)});
  }
  text += "Work:\n" + Table(rows, 28, kUnwrapped);
  const std::string classes = AdapterClassLines(plan);
  if (classes.empty()) return text;
  text += "Adapters:\n";
  for (const std::string_view line : SplitLines(classes)) text += fmt::format("  {}\n", line);
  if (modules) return text + "Modules:\n" + AppliedTable(plan);
  return text + "  (--verbose lists every module and where it goes)\n";
}

}  // namespace weightsmith::internal
