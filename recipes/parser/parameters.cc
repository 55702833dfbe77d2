#include "recipes/parser/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "recipes/parser/weights.h"

namespace weightsmith::internal {
namespace {

bool IsWhole(double number) {
  return number == std::floor(number);
}

/// Whether a number that was written for some place has a fraction. Along a curve and by a preset
/// it may, and what lies between is rounded.
bool HasFraction(const Weights& weights) {
  if (weights.everywhere()) return !IsWhole(*weights.everywhere());
  return std::ranges::any_of(weights.rows(), [](const PlaceRow<double>& row) {
    return row.knots.empty() && !IsWhole(row.value);
  });
}

std::optional<Weights> ReadSeed(Reader& reader, const SourceNode& node, const std::string& what) {
  const std::optional<double> seed =
      node.scalar() && node.plain ? ParseNumber(node.text) : std::nullopt;
  if (seed && *seed >= 0 && *seed <= kMostSeed && IsWhole(*seed)) return Weights(*seed);
  const bool variable = node.scalar() && reader.variables().Knows(node.text);
  if (IsReported(node) || node.type == SourceNode::Type::kNull || variable) {
    reader.Number(node, what);
    return std::nullopt;
  }
  reader.diagnostics().AddError(
      node.place,
      fmt::format("{} is a whole number from 0 to {:.0f}, not {}", what, kMostSeed, Describe(node)),
      "Write one without a fraction, such as 42.");
  return std::nullopt;
}

}  // namespace

std::optional<Weights> ReadParameter(const StepContext& in, const ParameterSpec& spec,
                                     const SourceNode& node, const std::string& what) {
  Reader& reader = in.reader;
  if (spec.type == ParameterType::kBoolean) {
    const std::optional<bool> value = reader.Boolean(node, what);
    if (!value) return std::nullopt;
    return Weights(*value ? 1.0 : 0.0);
  }
  if (spec.type == ParameterType::kWord) {
    const std::vector<std::string> words(spec.words.begin(), spec.words.end());
    const std::optional<std::size_t> index = reader.Word(node, what, words);
    if (!index) return std::nullopt;
    return Weights(static_cast<double>(*index));
  }
  if (spec.type == ParameterType::kSeed) return ReadSeed(reader, node, what);
  if (!spec.by_place && (node.map() || node.list())) {
    reader.diagnostics().AddError(node.place,
                                  fmt::format("{} is one number, not weights by place", what),
                                  "Write a number, such as 0.5.");
    return std::nullopt;
  }
  WeightReader weights(reader, in.presets);
  const auto read = spec.by_place ? weights.Read(node, what, spec.low, spec.high)
                                  : weights.ReadNumber(node, what, spec.low, spec.high);
  if (!read || !spec.whole || !HasFraction(*read)) return read;
  reader.diagnostics().AddError(node.place, fmt::format("{} is a whole number", what),
                                "Write one without a fraction, such as 2.");
  return std::nullopt;
}

}  // namespace weightsmith::internal
