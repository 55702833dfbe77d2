#include "merge/arithmetic/trim.h"

namespace weightsmith::internal {

ParameterSpec DensityParameter(double usual, std::string_view doc) {
  return {.name = "density",
          .default_value = usual,
          .by_place = true,
          .by_entry = true,
          .low = 0,
          .high = 1,
          .doc = doc};
}

ParameterSpec TrimParameter() {
  return {.name = "trim",
          .type = ParameterType::kWord,
          .default_value = 0,
          .words = {"paper", "mecha"},
          .doc =
              "How many elements a density keeps: trunc(density*n) of n, or as sd-mecha counts, "
              "from the smallest, one more."};
}

Value Trim(Lowering& tape, Value x, double density, std::string_view trim) {
  if (density >= 1) return x;
  if (trim == "paper") return tape.KeepAtLeast(x, tape.KthLargest(x, density));
  return tape.KeepAtLeast(x,
                          tape.Ranked(x, {.rule = Rank::Rule::kSmallest, .fraction = 1 - density}));
}

Value TrimBothEnds(Lowering& tape, Value x, double density, double gamma) {
  if (density >= 1) return x;
  const auto end = [&](Rank::Rule rule) {
    return tape.Ranked(x, {.rule = rule, .fraction = density, .second = gamma});
  };
  const Value large = tape.KeepAtLeast(x, end(Rank::Rule::kLowerEnd));
  return gamma == 0 ? large : tape.KeepAtMost(large, end(Rank::Rule::kUpperEnd));
}

}  // namespace weightsmith::internal
