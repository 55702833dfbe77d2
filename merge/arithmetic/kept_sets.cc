#include "merge/arithmetic/kept_sets.h"

#include <bit>
#include <cmath>
#include <numbers>

#include "core/base/elementary.h"

namespace weightsmith::internal {
namespace {

/// Of each set of models that is not empty, a bit for each, the probability that it is the set of
/// those that are kept, where one is. Sets of one size have the same.
std::vector<double> ChancesOfSets(std::size_t models, const SetChances& given) {
  const std::size_t sets = std::size_t{1} << models;
  const auto of_each = [&](const auto& weight_of_size) {
    std::vector<double> chances(sets, 0.0);
    double total = 0;
    for (std::size_t set = 1; set < sets; ++set) {
      chances[set] = weight_of_size(std::popcount(set));
      total += chances[set];
    }
    for (double& chance : chances) chance /= total;
    return chances;
  };
  const auto count = static_cast<int>(models);
  std::vector<double> chances;
  if (given.overlap == 0) {
    chances = of_each([](int size) { return size == 1 ? 1.0 : 0.0; });
  } else {
    const double angle = std::numbers::pi * given.overlap;
    const double steepness = -Cosine(angle) / Sine(angle);
    const int likeliest = steepness > 0 ? count : 1;
    chances = of_each([&](int size) { return Exponential(steepness * (size - likeliest)); });
  }
  const double share = given.emphasis * (1 - std::abs(2 * given.overlap - 1));
  if (share == 0) return chances;
  const std::vector<double> binomial = of_each([&](int size) {
    double chance = 1;
    for (int i = 0; i < count; ++i) chance *= i < size ? given.probability : 1 - given.probability;
    return chance;
  });
  for (std::size_t set = 0; set < sets; ++set) {
    chances[set] += share * (binomial[set] - chances[set]);
  }
  return chances;
}

}  // namespace

std::vector<Value> KeptTogether(Lowering& tape, std::size_t models, const SetChances& sets,
                                Value drawn) {
  const std::vector<double> chances = ChancesOfSets(models, sets);
  const Value one = tape.Constant(1);
  std::vector<Value> masks(models, Value::Zero());
  Value before = Value::Zero();
  double end = 0;
  for (std::size_t set = 1; set < chances.size(); ++set) {
    end += (1 - sets.probability) * chances[set];
    const Value until = tape.KeepBelow(one, drawn, tape.Constant(end));
    const Value here = tape.Subtract(until, before);
    before = until;
    if (chances[set] == 0) continue;
    for (std::size_t m = 0; m < models; ++m) {
      if ((set >> m & 1) != 0) masks[m] = tape.Add(masks[m], here);
    }
  }
  return masks;
}

}  // namespace weightsmith::internal
