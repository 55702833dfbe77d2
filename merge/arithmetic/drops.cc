#include "merge/arithmetic/drops.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "merge/arithmetic/rescale.h"
#include "merge/program/ranks.h"

namespace weightsmith::internal {
namespace {

/// Sums of decimal fractions are off by so much at most.
constexpr double kSlack = 1e-9;

}  // namespace

ParameterSpec EpsilonOfDensity() {
  return {.name = "epsilon",
          .default_value = 0.15,
          .by_place = true,
          .by_entry = true,
          .low = 0,
          .high = 0.5,
          .doc =
              "How much likelier than density the largest element is kept, and how much less "
              "likely the smallest."};
}

ParameterSpec RanksParameter() {
  return {
      .name = "ranks",
      .type = ParameterType::kWord,
      .default_value = 0,
      .words = {"row", "column", "tensor"},
      .doc =
          "Which elements are ranked among each other: those that make one output, those "
          "that differ in the input channel alone (as mergekit has it), or all. A probability is "
          "an f32: neighbours among more than 2^24 elements may have the same one."};
}

Value DropAtRandom(Lowering& tape, const Arguments& given, std::string_view op, std::size_t entry,
                   Value delta) {
  const double density = tape.Round(given.Entry("density", entry));
  if (density >= 1) return delta;
  if (density <= 0) return Value::Zero();
  const Value drawn = tape.Uniform(given.parameters.Seed("seed"), op, entry);
  const Value kept = tape.KeepBelow(delta, drawn, tape.Constant(density));
  return Rescale(tape, given.parameters.Word("rescale"), density, delta, kept);
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
  const Value rank = tape.Transformed(Ranks(), delta, {.in = in}, given.shape);
  const Value chance = tape.AddScaled(tape.Constant(std::max(density - epsilon, 0.0)),
                                      tape.Round(2 * epsilon), rank);
  const Value drawn = tape.Uniform(given.parameters.Seed("seed"), op, entry);
  const Value kept = tape.KeepBelow(delta, drawn, chance);
  const std::string_view rescale = given.parameters.Word("rescale");
  // Each by its own probability, where a single one would be that of all.
  if (rescale == "density") return tape.Quotient(kept, chance);
  return Rescale(tape, rescale, density, delta, kept);
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
        "of[{}]: a 'density' of {} and an 'epsilon' of {} give probabilities from {:.6g} to "
        "{:.6g}, which are to lie between 0 and 1\n"
        "Write an 'epsilon' of at most {:.6g}, or another density.",
        i + 1, FormatNumber(density), FormatNumber(epsilon), least, most,
        std::min(density, 1 - density));
  }
  return "";
}

}  // namespace weightsmith::internal
