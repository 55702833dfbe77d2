#include "core/base/elementary.h"
#include "merge/arithmetic/kept_sets.h"
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
      alone ? MasksAlone(tape, given, probability)
            : KeptTogether(tape, given.list.size(),
                           {.probability = probability,
                            .overlap = given.parameters.Number("overlap"),
                            .emphasis = given.parameters.Number("emphasis")},
                           tape.Uniform(given.parameters.Seed("seed"), "dropout", 0));
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
