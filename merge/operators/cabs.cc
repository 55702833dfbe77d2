#include <bit>
#include <cmath>

#include "merge/arithmetic/task_vectors.h"
#include "merge/arithmetic/trim.h"

namespace weightsmith::internal::operators {
namespace {

constexpr std::size_t kLargestGroup = kTile;

std::string CheckCabs(const ArgumentsGiven& given) {
  const std::string problem = CheckFineTunes(given);
  const auto group = given.numbers.find("group");
  if (!problem.empty() || group == given.numbers.end()) return problem;
  const auto size = static_cast<std::size_t>(group->second);
  return std::has_single_bit(size) ? "" : "`group` is a power of 2: 4, 8, … 256";
}

Value LowerCabs(Lowering& tape, const Arguments& given) {
  std::vector<Value> kept = Differences(tape, given);
  Value taken = Value::Zero();
  const auto group = static_cast<std::size_t>(given.parameters.Number("group"));
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const double share = given.Entry("density", i) * static_cast<double>(group);
    const Value free = tape.Choose(taken, Value::Zero(), kept[i]);
    kept[i] = tape.KeepLargest(free, static_cast<std::size_t>(std::lround(share)), group);
    tape.TellShare("kept", kept[i], Subject::Entry(i));
    taken = tape.Add(taken, tape.WhereNotZero(1, kept[i]));
  }
  const std::vector<Value> terms = Weighted(tape, kept, given.weights);
  return AddToBase(tape, given, SumOfTerms(tape, terms, given.weights, false));
}

}  // namespace

const Operator& cabs() {
  static const Operator declaration{
      .name = "cabs",
      .summary = "Adds the largest changes of each group of elements, none from two fine-tunes.",
      .doc =
          "Models take turns, in the order of the list. Of each `group` of elements that follow "
          "each other in a tensor, 256 without one, the largest of a model's differences to the "
          "base are kept, as many as density says, among those that no model before it has: what "
          "is kept is spread evenly, and models do not get in each other's way. Of equal "
          "magnitudes the first is kept. The order matters where densities add up to more than "
          "1: later models get what is left. A last group of fewer keeps the same share of them, "
          "rounded up. The n:m of the paper is `group: m` with a density of n/m: 2:4 is `group: "
          "4, density: 0.5`.\n\n"
          "Its authors merge language models with 64 of 256, a density of 0.25, and weights of "
          "1.2. Their code drops an incomplete last group, and lets a second model have elements "
          "of the first where density is 0.5 or more.",
      .formula = "base + lambda*sum(w_i*k_i), k_i the largest of x_i - base where k_1 ... are 0",
      .source = "CABS, arXiv:2503.01874, and its authors' code",
      .example =
          "mix: {op: cabs, base: base, of: [{model: photo, weight: 1}, {model: anime, weight: 1}], "
          "density: 0.25}",
      .uses = {"combine several fine-tunes", "fewer conflicts between fine-tunes",
               "language models"},
      .operands = {BaseOperand()},
      .list = FineTunes(true),
      .result = Kind::kWeight,
      .parameters = {DensityParameter(0.25, "The share of each difference that is kept."),
                     LambdaParameter(),
                     {.name = "group",
                      .default_value = 256,
                      .low = 2,
                      .high = kLargestGroup,
                      .doc = "How many elements share a density: a power of 2.",
                      .whole = true}},
      .check = CheckCabs,
      .lower = LowerCabs,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
