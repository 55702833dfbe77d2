#include "cli/render/report_words.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#include "cli/progress.h"
#include "cli/render/adapter_words.h"
#include "cli/render/layout.h"
#include "core/base/text.h"
#include "core/base/visible.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kMaxName = 40;

std::string InputWords(const ModelKeys& keys) {
  std::string words =
      fmt::format("{} matched, {} unmatched, {} used", Counted(keys.matched, "tensor"),
                  FormatCount(keys.unmatched), FormatCount(keys.used));
  if (keys.averages > 0)
    words += fmt::format(", {} of them EMA copies", FormatCount(keys.averages));
  if (keys.ema > 0)
    words += fmt::format(", {} left out",
                         keys.ema == 1 ? "1 EMA copy" : FormatCount(keys.ema) + " EMA copies");
  return words;
}

/// ", 118 copied because they are integers, 2 because an operand lacks them".
std::string CopiedWords(const StepReport& step) {
  std::string words;
  if (step.integers > 0) {
    words += fmt::format(", {} copied because they are integers", FormatCount(step.integers));
  }
  if (step.missing > 0) {
    words += fmt::format(", {} copied because an operand lacks them", FormatCount(step.missing));
  }
  return words;
}

/// Of a step all of whose results are what a file holds.
std::string_view CopyWords(std::string_view op) {
  if (op == "copy") return "every tensor as it is";
  if (op == "ema") return "every moving average as it is, in place of its tensor";
  return "every tensor copied from one operand";
}

std::string StepWords(const StepReport& step) {
  if (step.tensors == 0) {
    // What it would have computed, each was copied from one operand.
    return std::string(CopyWords(step.op)) + CopiedWords(step);
  }
  const std::string seed = step.seed ? fmt::format(", seed {}", *step.seed) : "";
  return fmt::format("{} of {} changed{}, {}{}", FormatCount(step.tensors_changed),
                     Counted(step.tensors + step.integers + step.missing, "tensor"),
                     CopiedWords(step), FormatEffect(step.effect), seed);
}

/// Without a range where it would say nothing.
std::string RangeWords(const FindingReport& finding, const std::string& lowest,
                       const std::string& highest) {
  if (finding.tensors == 1 || lowest == highest) return {};
  return fmt::format(" ({} to {})", lowest, highest);
}

/// "20.0 %", "3.1°", "48", "0.712".
std::string FormatFinding(Unit unit, double number) {
  switch (unit) {
    case Unit::kShare:
      return fmt::format("{:.1f} %", 100 * number);
    case Unit::kDegrees:
      return fmt::format("{:.1f}°", number);
    case Unit::kCount:
      return fmt::format("{:.0f}", number);
    case Unit::kNumber:
      break;
  }
  return fmt::format("{:.3g}", number);
}

/// "kept 20.0 % of photo (18.3 % to 21.0 %)", "angle 3.1°", "rank 48 of 320".
std::string FindingWords(const FindingReport& finding) {
  std::string words =
      fmt::format("{} {}", finding.label, FormatFinding(finding.unit, finding.mean));
  if (finding.of) words += " of " + FormatFinding(finding.unit, *finding.of);
  words += RangeWords(finding, FormatFinding(finding.unit, finding.lowest),
                      FormatFinding(finding.unit, finding.highest));
  if (!finding.operand.empty()) words += " of " + Visible(finding.operand);
  return words;
}

/// A line a component: "unet: angle 3.1° (0.4° to 9.8°)".
std::vector<std::string> FindingLines(const StepReport& step) {
  std::vector<std::string> lines;
  std::string_view component;
  for (const FindingReport& finding : step.findings) {
    const bool same = !lines.empty() && finding.component == component;
    if (same) {
      lines.back() += ", " + FindingWords(finding);
    } else {
      lines.push_back(fmt::format("{}: {}", finding.component, FindingWords(finding)));
    }
    component = finding.component;
  }
  return lines;
}

std::string OutputWords(const OutputReport& output) {
  std::string words =
      fmt::format("{}, {}", FormatBytes(output.bytes), Counted(output.tensors, "tensor"));
  if (output.tensors_copied > 0) {
    words += fmt::format(" ({} copied)", FormatCount(output.tensors_copied));
  }
  if (output.sha256) words += fmt::format(", sha256 {}", *output.sha256);
  return words;
}

}  // namespace

std::string Percent(std::uint64_t part, std::uint64_t whole) {
  if (part == whole) return "100 %";
  if (part == 0) return "0 %";
  const double percent = 100 * static_cast<double>(part) / static_cast<double>(whole);
  // Almost all must not look like all, and almost nothing not like nothing.
  if (percent > 99.9) return "over 99.9 %";
  if (percent < 0.1) return "under 0.1 %";
  return fmt::format("{:.1f} %", percent);
}

std::string FormatEffect(const Effect& effect) {
  std::string words =
      fmt::format("{} of elements changed", Percent(effect.changed, effect.elements));
  if (const double change = std::sqrt(effect.change_squares / effect.before_squares);
      effect.before_squares > 0 && std::isfinite(change)) {
    words += fmt::format(", relative change {:.3g}", change);
  }
  return words;
}

std::string ReportWords(const Plan& plan, const Report& report) {
  std::vector<TableRow> rows;
  for (std::size_t i = 0; i < plan.models.size(); ++i) {
    if (plan.models[i].adapter != nullptr) continue;
    rows.push_back({plan.models[i].name, InputWords(plan.model_keys[i])});
  }
  std::string text = "Inputs:\n" + Table(rows, kMaxName, kUnwrapped);
  text += AdapterReportLines(plan, report);
  rows.clear();
  for (const StepReport& step : report.steps) {
    rows.push_back({fmt::format("{} ({})", step.name, step.op), StepWords(step)});
    for (std::string& line : FindingLines(step)) rows.push_back({"", std::move(line)});
  }
  if (!rows.empty()) text += "Steps:\n" + Table(rows, kMaxName, kUnwrapped);
  rows.clear();
  for (const OutputReport& output : report.outputs) {
    rows.push_back({Visible(output.path.string()), OutputWords(output)});
  }
  if (!rows.empty()) text += "Outputs:\n" + Table(rows, kMaxName, kUnwrapped);
  return text;
}

std::string SampleWords(const Report& sample) {
  std::vector<TableRow> rows;
  for (const StepReport& step : sample.steps) {
    std::string name = fmt::format("{} ({})", step.name, step.op);
    for (std::string& line : FindingLines(step)) {
      rows.push_back({std::exchange(name, {}), std::move(line)});
    }
  }
  return rows.empty() ? "" : "In a sample:\n" + Table(rows, kMaxName, kUnwrapped);
}

std::string ThroughputWords(const Report& report) {
  if (report.resumed) {
    return fmt::format("done in {:.2f} s, resumed from an earlier run", report.seconds);
  }
  return fmt::format("read {}, wrote {} in {:.2f} s, {} of output", FormatBytes(report.bytes_read),
                     FormatBytes(report.bytes_written), report.seconds,
                     FormatRate(report.bytes_written, report.seconds));
}

}  // namespace weightsmith::internal
