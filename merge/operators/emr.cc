#include "merge/arithmetic/one_task.h"
#include "merge/arithmetic/task_vectors.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckEmr(const ArgumentsGiven& given) {
  const std::string problem = CheckFineTunes(given);
  return problem.empty() ? CheckTask(given) : problem;
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

Value LowerEmr(Lowering& tape, const Arguments& given) {
  const std::vector<Value> deltas = Differences(tape, given);
  const Value unified = Unified(tape, deltas);
  const auto task = TaskOf(given);
  if (!task) return AddToBase(tape, given, unified);
  const Value own = deltas[*task];
  const Value agrees = tape.Multiply(tape.Sign(own), tape.Sign(unified));
  const Value masked = tape.KeepBelow(unified, Value::Zero(), agrees);
  tape.TellShare("kept", masked);
  const Scalar whole = tape.SumOf(tape.Magnitude(own));
  const Scalar kept = tape.SumOf(tape.Magnitude(masked));
  const Scalar factor = tape.Select(0, kept, tape.Over(whole, kept), 0);
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
          "tensor.\n\n"
          "The paper has one factor for all of a model, which is that of a model of one tensor; "
          "factors of tensors keep the sum of magnitudes of each. An element whose differences "
          "add up to 0 stays that of the base, where its authors' code takes the largest negative "
          "one.",
      .formula =
          "base + lambda*u, u = sign(sum(d_i))*max(|d_i| of that sign); with task i "
          "base + lambda*(sum|d_i| / sum|m*u|)*(m*u), m = 1 where d_i*u > 0",
      .source = "EMR-Merging, arXiv:2405.17461, and its authors' code",
      .example = "mix: {op: emr, base: base, of: [photo, anime], task: 2}",
      .uses = {"combine several fine-tunes", "one model of many tasks"},
      .operands = {BaseOperand()},
      .list = FineTunes(false),
      .result = Kind::kWeight,
      .parameters = {TaskParameter(), LambdaParameter()},
      .check = CheckEmr,
      .lower = LowerEmr,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
