#include "merge/arithmetic/one_task.h"
#include "merge/arithmetic/task_vectors.h"

namespace weightsmith::internal::operators {
namespace {

/// The word `tensor`, which says nothing more than no word.
constexpr double kOfTensor = 0;

std::string CheckEmr(const ArgumentsGiven& given) {
  const std::string problem = CheckFineTunes(given);
  if (!problem.empty()) return problem;
  const auto scale = given.numbers.find("scale");
  if (scale != given.numbers.end() && scale->second != kOfTensor && !given.Has("task")) {
    return "`scale` is of the factor that a model of its own has: write `task` with it";
  }
  return CheckTask(given);
}

/// The largest magnitudes of the elected signs, with these.
Value Unified(Lowering& tape, std::span<const Value> deltas) {
  const Value votes = Votes(tape, deltas, "total");
  Value largest = Value::Zero();
  Value left_out = Value::Zero();  // of an element all have one sign: no sum of them is 0
  for (const Value delta : deltas) {
    const Value kept = tape.KeepSign(delta, votes);
    const Value of_sign = tape.Magnitude(kept);
    largest = largest.zero() ? of_sign : tape.Max(largest, of_sign);
    left_out = tape.Add(left_out, tape.Subtract(delta, kept));
  }
  tape.TellShare("sign conflicts", left_out);
  return tape.Multiply(tape.Sign(votes), largest);
}

/// What gives `masked` the sum of magnitudes of `own`: in this tensor, or in all of the model.
Scalar FactorOf(Lowering& tape, const Arguments& given, Value own, Value masked) {
  Scalar whole = tape.SumOf(tape.Magnitude(own));
  Scalar kept = tape.SumOf(tape.Magnitude(masked));
  const std::string_view scale = given.parameters.Word("scale");
  if (scale == "means") {
    whole = tape.Over(whole, given.Elements());
    kept = tape.Over(kept, given.Elements());
  }
  if (scale != "tensor") {
    const Lowering::Totals totals = tape.TotalsOverModel(whole, kept);
    whole = totals.first;
    kept = totals.second;
  }
  return tape.Select(0, kept, tape.Over(whole, kept), 0);
}

Value LowerEmr(Lowering& tape, const Arguments& given) {
  const std::vector<Value> deltas = Differences(tape, given);
  const Value unified = Unified(tape, deltas);
  const auto task = TaskOf(given);
  if (!task) return AddToBase(tape, given, unified);
  const Value own = deltas[*task];
  const Value agrees = tape.Multiply(tape.Sign(own), tape.Sign(unified));
  const Value masked = tape.KeepBelow(unified, Value::Zero(), agrees);
  tape.TellShare("kept", masked);
  const Scalar factor = FactorOf(tape, given, own, masked);
  tape.Tell("factor", factor);
  return AddToBase(tape, given, tape.Scale(factor, masked));
}

}  // namespace

const Operator& emr() {
  static const Operator declaration{
      .name = "emr",
      .summary = "Adds the largest change of the elected sign, or what of it is one model's own.",
      .doc =
          "Of each element the sign of the summed differences to the base is elected, and the "
          "largest difference of that sign is taken: the unified difference, which is added. With "
          "`task: i` the result is for what model i of the list is for: of the unified difference "
          "only elements are kept in which that model has the elected sign, and they are scaled "
          "so that their magnitudes add up to those of the model's own difference, tensor by "
          "tensor. With `scale: model` one factor does that for all tensors that the step "
          "computes, as in the paper; with `scale: means` each of these counts by the mean of its "
          "magnitudes, a bias as much as a large matrix, as in its authors' code. Both read the "
          "models once more before the first tensor is computed.\n\n"
          "An element whose differences add up to 0 stays that of the base, where its authors' "
          "code takes the largest negative one.",
      .formula =
          "base + lambda*u, u = sign(sum(d_i))*max(|d_i| of that sign); with task i "
          "base + lambda*(sum|d_i| / sum|m*u|)*(m*u), m = 1 where d_i*u > 0, sums of a tensor, of "
          "the model, or of means of tensors",
      .source = "EMR-Merging, arXiv:2405.17461, and its authors' code",
      .example = "mix: {op: emr, base: base, of: [photo, anime], task: 2}",
      .uses = {"combine several fine-tunes", "one model of many tasks"},
      .operands = {BaseOperand()},
      .list = FineTunes(false),
      .result = Kind::kWeight,
      .parameters = {TaskParameter(),
                     LambdaParameter(),
                     {.name = "scale",
                      .type = ParameterType::kWord,
                      .default_value = 0,
                      .words = {"tensor", "model", "means"},
                      .doc = "Of a task: what keeps its sum of magnitudes, each tensor by itself, "
                             "the whole model, or the model by the means of its tensors."}},
      .check = CheckEmr,
      .lower = LowerEmr,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
