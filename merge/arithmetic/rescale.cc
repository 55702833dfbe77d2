#include "merge/arithmetic/rescale.h"

#include <algorithm>
#include <array>

namespace weightsmith::internal {
namespace {

constexpr std::array<std::string_view, 3> kWords = {"density", "l1", "none"};
/// A smaller sum of magnitudes is that of a difference of nothing.
constexpr double kNothing = 1e-7;

}  // namespace

ParameterSpec RescaleParameter(std::string_view by_default) {
  const auto index = std::ranges::find(kWords, by_default) - kWords.begin();
  return {.name = "rescale",
          .type = ParameterType::kWord,
          .default_value = static_cast<double>(index),
          .words = {kWords.begin(), kWords.end()},
          .doc =
              "What the elements that are kept are divided by: their share, as papers have it, "
              "what keeps the sum of magnitudes, as mergekit has it, or nothing."};
}

Value Rescale(Lowering& tape, std::string_view rescale, double density, Value whole, Value kept) {
  if (whole == kept || rescale == "none") return kept;
  if (rescale == "density") return density > 0 ? tape.Divide(kept, density) : kept;
  const Scalar before = tape.SumOf(tape.Magnitude(whole));
  const Scalar after = tape.SumOf(tape.Magnitude(kept));
  return tape.Scale(tape.Select(tape.Lesser(before, after), kNothing, 1, tape.Over(before, after)),
                    kept);
}

}  // namespace weightsmith::internal
