#include <algorithm>
#include <bit>
#include <numbers>

#include "core/base/elementary.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

/// Of models that are not drawn independently: all their subsets are looked at.
constexpr std::size_t kMostTogether = 8;

std::string CheckDropout(const ArgumentsGiven& given) {
  if (given.list == 0) return CheckFineTunes(given);
  const auto overlap = given.numbers.find("overlap");
  const bool independent = overlap != given.numbers.end() && overlap->second == 1;
  if (independent || given.list <= kMostTogether) return "";
  return "`of` has more than 8 models, which an `overlap` below 1 cannot take";
}

/// Of each set of models that is not empty, a bit for each, the probability that it is the set of
/// those that are kept, where one is. Sets of one size have the same.
std::vector<double> ChancesOfSets(std::size_t models, double overlap, double probability,
                                  double emphasis) {
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
  if (overlap == 0) {
    chances = of_each([](int size) { return size == 1 ? 1.0 : 0.0; });
  } else {
    const double angle = std::numbers::pi * overlap;
    const double steepness = -Cosine(angle) / Sine(angle);
    const int likeliest = steepness > 0 ? count : 1;
    chances = of_each([&](int size) { return Exponential(steepness * (size - likeliest)); });
  }
  const double share = emphasis * (1 - std::abs(2 * overlap - 1));
  if (share == 0) return chances;
  const std::vector<double> binomial = of_each([&](int size) {
    double chance = 1;
    for (int i = 0; i < count; ++i) chance *= i < size ? probability : 1 - probability;
    return chance;
  });
  for (std::size_t set = 0; set < sets; ++set) {
    chances[set] += share * (binomial[set] - chances[set]);
  }
  return chances;
}

/// 1 where a model is kept, else 0, of one draw of all models: the sets stand one after another on
/// the line from 0 to 1, that of none behind the others.
std::vector<Value> MasksTogether(Lowering& tape, const Arguments& given, double probability) {
  const std::size_t models = given.list.size();
  const std::vector<double> chances = ChancesOfSets(
      models, given.parameters.Number("overlap"), probability, given.parameters.Number("emphasis"));
  const Value drawn = tape.Uniform(given.parameters.Seed("seed"), "dropout", 0);
  const Value one = tape.Constant(1);
  std::vector<Value> masks(models, Value::Zero());
  Value before = Value::Zero();
  double end = 0;
  for (std::size_t set = 1; set < chances.size(); ++set) {
    end += (1 - probability) * chances[set];
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

std::vector<Value> MasksAlone(Lowering& tape, const Arguments& given, double probability) {
  std::vector<Value> masks;
  const Value one = tape.Constant(1);
  const Value keep = tape.Constant(1 - probability);
  for (std::size_t m = 0; m < given.list.size(); ++m) {
    masks.push_back(
        tape.KeepBelow(one, tape.Uniform(given.parameters.Seed("seed"), "dropout", m), keep));
  }
  return masks;
}

Value LowerDropout(Lowering& tape, const Arguments& given) {
  const double probability = given.parameters.Number("probability");
  if (probability == 1) return given.operands[0];
  const bool alone = given.parameters.Number("overlap") == 1;
  const std::vector<Value> masks =
      alone ? MasksAlone(tape, given, probability) : MasksTogether(tape, given, probability);
  const std::vector<Value> differences = Differences(tape, given);
  Value sum = Value::Zero();
  Value count = Value::Zero();
  for (std::size_t m = 0; m < masks.size(); ++m) {
    sum = tape.Add(sum, tape.Choose(masks[m], differences[m], Value::Zero()));
    count = tape.Add(count, masks[m]);
    tape.TellShare("kept", masks[m], Subject::Entry(m));
  }
  const double rescale = given.parameters.Number("rescale");
  const double scale = rescale == 1 ? 1 - probability : Power(1 - probability, rescale);
  return AddToBase(tape, given, tape.Divide(tape.Quotient(sum, count), scale));
}

}  // namespace

const Operator& dropout() {
  static const Operator declaration{
      .name = "dropout",
      .summary = "Adds random elements of fine-tunes, and averages where they meet.",
      .doc =
          "Of every model's difference to the base each element is dropped with the given "
          "probability; what is left is averaged where several models have it, and divided by (1 - "
          "probability)^rescale.\n\n"
          "At overlap 1 models are drawn independently of each other. Below, an element is dropped "
          "of all of them with that probability, or else kept of a set of models: of exactly one "
          "at overlap 0, of any set with the same chance at 0.5, of more and more of them towards "
          "1. A set of k models has the weight e^(k*tan(pi*(overlap - 0.5))). Emphasis blends that "
          "with sets as independent draws with the given probability would make them, most of all "
          "at overlap 0.5.\n\n"
          "sd-mecha's overlap of odd numbers is 1 here, and what lies beyond 1 mirrors 0 to 1; its "
          "alpha, 0.5 by default, is lambda. Its numbers are those of numpy's generator, ours do "
          "not depend on the order of tensors.",
      .formula =
          "base + lambda*sum(m_i*(x_i - base)) / max(sum(m_i), 1) / (1 - p)^rescale, m_i 0 or 1",
      .source = "sd-mecha's dropout; DARE, arXiv:2311.03099",
      .example =
          "mix: {op: dropout, base: base, of: [photo, anime], probability: 0.5, overlap: 0, "
          "seed: 7}",
      .uses = {"combine several fine-tunes of one base", "thin out a fine-tune"},
      .operands = {BaseOperand()},
      .list = FineTunes(false),
      .result = Kind::kWeight,
      .parameters = {{.name = "probability",
                      .default_value = 0.9,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "That an element is dropped."},
                     {.name = "rescale",
                      .default_value = 1.0,
                      .low = 0,
                      .high = 1,
                      .doc =
                          "How far what is kept is scaled up: 1 keeps the mean, 0 is not at all."},
                     {.name = "overlap",
                      .default_value = 1.0,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "How often models keep the same elements; at 1 they are independent."},
                     {.name = "emphasis",
                      .default_value = 0.0,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "How much sets are those of independent draws, below overlap 1."},
                     LambdaParameter(),
                     SeedParameter(),
                     SeedSharedParameter()},
      .check = CheckDropout,
      .lower = LowerDropout,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
