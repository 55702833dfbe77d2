#include "merge/arithmetic/drops.h"

#include <fmt/format.h>

#include <optional>

#include "core/base/text.h"
#include "merge/program/ranks.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kByDensity = "density";
constexpr std::string_view kByL1 = "l1";
/// Sums of decimal fractions are off by so much at most.
constexpr double kSlack = 1e-9;

/// x with the sum of magnitudes that `whole` has; where nothing of that is left, there is nothing
/// to scale.
Value WithSumOf(Lowering& tape, Value x, Value whole) {
  const Scalar left = tape.SumOf(tape.Magnitude(x));
  const Scalar ratio = tape.Over(tape.SumOf(tape.Magnitude(whole)), left);
  return tape.Scale(tape.Select(0, left, ratio, 1), x);
}

}  // namespace

std::vector<ParameterSpec> DropParameters() {
  return {{.name = "density",
           .by_place = true,
           .by_entry = true,
           .low = 0,
           .high = 1,
           .doc = "The share of each difference that is kept, on average."},
          {.name = "rescale",
           .type = ParameterType::kWord,
           .default_value = 0,
           .words = {kByDensity, kByL1, "none"},
           .doc = "By what is kept is divided: the probability that it is kept, as papers have it; "
                  "the share of the sum of magnitudes that is left, as mergekit has it; nothing."},
          SeedParameter(),
          SeedSharedParameter()};
}

std::vector<ParameterSpec> RankParameters() {
  return {{.name = "epsilon",
           .default_value = 0.15,
           .by_place = true,
           .by_entry = true,
           .low = 0,
           .high = 1,
           .doc = "How much likelier than density the largest element is kept, and how much less "
                  "likely the smallest."},
          {.name = "ranks",
           .type = ParameterType::kWord,
           .default_value = 0,
           .words = {"row", "column", "tensor"},
           .doc = "Which elements are ranked among each other: those that make one output, those "
                  "that differ in the input channel alone (as mergekit has it), or all."}};
}

Value DropAtRandom(Lowering& tape, const Arguments& given, std::string_view op, std::size_t entry,
                   Value delta) {
  const double density = tape.Round(given.Entry("density", entry));
  if (density >= 1) return delta;
  if (density <= 0) return Value::Zero();
  const Value drawn = tape.Uniform(given.parameters.Seed("seed"), op, entry);
  const Value kept = tape.KeepBelow(delta, drawn, tape.Constant(density));
  const std::string_view rescale = given.parameters.Word("rescale");
  if (rescale == kByDensity) return tape.Divide(kept, density);
  return rescale == kByL1 ? WithSumOf(tape, kept, delta) : kept;
}

Value DropByRank(Lowering& tape, const Arguments& given, std::string_view op, std::size_t entry,
                 Value delta) {
  const double density = given.Entry("density", entry);
  const double epsilon = given.Entry("epsilon", entry);
  if (density >= 1 || delta.zero()) return delta;
  if (density <= 0) return Value::Zero();
  if (epsilon == 0) return DropAtRandom(tape, given, op, entry, delta);
  const std::string_view word = given.parameters.Word("ranks");
  const RankedIn in = word == "row"      ? RankedIn::kRow
                      : word == "column" ? RankedIn::kColumn
                                         : RankedIn::kTensor;
  const Value rank = tape.Transformed(Ranks(), std::span(&delta, 1), {static_cast<double>(in)});
  const Value chance =
      tape.AddScaled(tape.Constant(density - epsilon), tape.Round(2 * epsilon), rank);
  const Value drawn = tape.Uniform(given.parameters.Seed("seed"), op, entry);
  const Value kept = tape.KeepBelow(delta, drawn, chance);
  const std::string_view rescale = given.parameters.Word("rescale");
  if (rescale == kByDensity) return tape.Quotient(kept, chance);
  return rescale == kByL1 ? WithSumOf(tape, kept, delta) : kept;
}

std::string CheckChances(const Arguments& given) {
  for (std::size_t i = 0; i < given.list.size(); ++i) {
    const double density = given.Entry("density", i);
    const double epsilon = given.Entry("epsilon", i);
    const double least = density - epsilon;
    const double most = density + epsilon;
    const bool certain = density <= 0 || density >= 1;
    if (certain || (least >= -kSlack && most <= 1 + kSlack)) continue;
    return fmt::format(
        "of[{}]: a 'density' of {} and an 'epsilon' of {} give probabilities from {} to {}, which "
        "are to lie between 0 and 1",
        i + 1, FormatNumber(density), FormatNumber(epsilon), FormatNumber(least),
        FormatNumber(most));
  }
  return "";
}

}  // namespace weightsmith::internal
