#include "merge/arithmetic/one_task.h"
#include "merge/arithmetic/task_vectors.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckConsensus(const ArgumentsGiven& given) {
  const std::string problem = CheckFineTunes(given);
  if (!problem.empty()) return problem;
  const auto least = given.numbers.find("least");
  if (least != given.numbers.end() && least->second > static_cast<double>(given.list)) {
    return "`least` is more than there are models in `of`";
  }
  return CheckTask(given);
}

/// 1 where the sum owes an element to the model: the rest of it is not larger than the model's own.
Value OwnElements(Lowering& tape, Value sum, Value own, double threshold) {
  const Value rest = tape.Scale(threshold, tape.Magnitude(tape.Subtract(sum, own)));
  const Value beaten = tape.KeepBelow(tape.Constant(1), tape.Magnitude(own), rest);
  return tape.Subtract(tape.Constant(1), beaten);
}

Value LowerConsensus(Lowering& tape, const Arguments& given) {
  const std::vector<Value> deltas = Differences(tape, given);
  const std::vector<Value> terms = Weighted(tape, deltas, given.weights);
  const Value sum = SumOfTerms(tape, terms, given.weights, false);
  // Whose an element is does not depend on the weights, as it does not on lambda.
  const Value plain = SumOfTerms(tape, deltas, given.weights, false);
  std::vector<Value> own;
  Value count = Value::Zero();
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    own.push_back(OwnElements(tape, plain, deltas[i], given.Entry("threshold", i)));
    count = tape.Add(count, own.back());
  }
  // Counts are whole: at least k is above k - 1/2.
  const double least = given.parameters.Number("least") - 0.5;
  const auto task = TaskOf(given);
  const Value mask =
      task ? own[*task] : tape.KeepBelow(tape.Constant(1), tape.Constant(least), count);
  const Value kept = tape.Choose(mask, sum, Value::Zero());
  tape.TellShare("kept", kept);
  return AddToBase(tape, given, kept);
}

}  // namespace

const Operator& consensus() {
  static const Operator declaration{
      .name = "consensus",
      .summary = "Adds the sum of changes where at least so many fine-tunes made it theirs.",
      .doc =
          "The differences to the base are added, each times its weight. An element belongs to a "
          "model where the model's own difference is at least the threshold times the sum of the "
          "others', whatever the weights are. Elements that belong to fewer models than `least` "
          "are left out: with 2 those that one model alone would want, and those that none would. "
          "With `task: i` those are kept that belong to model i of the list.\n\n"
          "The paper has no weights: it adds all and takes a factor for the sum, which is lambda "
          "here; a model of its own (`task`) has the factor 1. Its authors try thresholds from 0.2 "
          "to 0.6 for each model, of which 0.4 is the middle, and leave out what fewer than 2 "
          "models have.",
      .formula =
          "base + lambda*(sum(w_i*d_i) where count(|d_i| >= threshold*|sum(d_j) - d_i|) >= least), "
          "d_i = x_i - base",
      .source = "TALL-masks and Consensus Merging, arXiv:2405.07813, and its authors' code",
      .example =
          "mix: {op: consensus, base: base, of: [{model: photo, weight: 1}, {model: anime, "
          "weight: 1}], lambda: 0.4}",
      .uses = {"combine several fine-tunes", "keep what several learned",
               "one model of many tasks"},
      .operands = {BaseOperand()},
      .list = FineTunes(true),
      .result = Kind::kWeight,
      .parameters = {{.name = "threshold",
                      .default_value = 0.4,
                      .by_place = true,
                      .by_entry = true,
                      .low = 0,
                      .high = 100,
                      .doc = "How large a model's own change is, beside the rest of the sum."},
                     {.name = "least",
                      .default_value = 2.0,
                      .by_place = true,
                      .low = 1,
                      .high = 1000,
                      .doc = "How many models an element belongs to.",
                      .whole = true},
                     TaskParameter(),
                     LambdaParameter()},
      .check = CheckConsensus,
      .lower = LowerConsensus,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
