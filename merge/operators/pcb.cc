#include "merge/arithmetic/task_vectors.h"

namespace weightsmith::internal::operators {
namespace {

/// The share of magnitudes at either end that counts as what stands next to it.
constexpr double kEnds = 1e-4;
constexpr double kLeastTotal = 1e-12;
/// A smaller range has no reciprocal in f32, and counts as none.
constexpr double kNoRange = 0x1p-126;

/// A difference without its outliers, and its magnitudes from 0 to 1.
struct Balanced {
  Value held;
  Value magnitude;
};

Balanced WithoutOutliers(Lowering& tape, Value delta) {
  const Scalar low = tape.Ranked(delta, {.rule = Rank::Rule::kBehind, .fraction = kEnds});
  const Scalar high = tape.Ranked(delta, {.rule = Rank::Rule::kSmallest, .fraction = 1 - kEnds});
  const Value one = tape.Constant(1);
  const Value least = tape.Scale(low, one);
  const Value most = tape.Scale(high, one);
  const Value magnitude = tape.Min(tape.Max(tape.Magnitude(delta), least), most);
  const Scalar range = tape.Minus(high, low);
  const Scalar factor = tape.Select(range, kNoRange, 0, tape.Over(1, range));
  return {tape.Multiply(tape.Sign(delta), magnitude),
          tape.Scale(factor, tape.Subtract(magnitude, least))};
}

/// What of a score is above the one that the share begins behind, from 0 to 1.
Value ShareOf(Lowering& tape, Value score, double density) {
  const Value positive = tape.Max(score, Value::Zero());
  const Scalar from = tape.Ranked(positive, {.rule = Rank::Rule::kBehind, .fraction = 1 - density});
  const Scalar range = tape.Minus(tape.Largest(positive), from);
  const Value above =
      tape.Max(tape.AddScaled(positive, tape.Minus(0, from), tape.Constant(1)), Value::Zero());
  return tape.Scale(tape.Select(range, kNoRange, 0, tape.Over(1, range)), above);
}

Value LowerPcb(Lowering& tape, const Arguments& given) {
  const std::vector<Value> deltas = Differences(tape, given);
  Value all = Value::Zero();
  for (const Value delta : deltas) all = tape.Add(all, delta);
  Value sum = Value::Zero();
  Value total = Value::Zero();
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    const Balanced own = WithoutOutliers(tape, deltas[i]);
    const Value square = tape.Multiply(own.magnitude, own.magnitude);
    const Value within = tape.Exponential(tape.Scale(static_cast<double>(deltas.size()), square));
    const Value between = tape.HyperbolicTangent(tape.Multiply(deltas[i], all));
    const Value share = ShareOf(tape, tape.Multiply(within, between), given.Entry("density", i));
    tape.TellShare("kept", share, Subject::Entry(i));
    sum = tape.Add(sum, tape.Multiply(own.held, share));
    total = tape.Add(total, share);
  }
  return AddToBase(tape, given, tape.Quotient(sum, tape.Max(total, tape.Constant(kLeastTotal))));
}

}  // namespace

const Operator& pcb() {
  static const Operator declaration{
      .name = "pcb",
      .summary = "Adds changes by how strong each is in its model and how far the models agree.",
      .doc =
          "Every element of a model's difference to the base gets a score: how large it is among "
          "the model's own, by an exponential that the number of models makes steeper, times how "
          "far it points where the sum of all points. The density*n highest scores of a tensor are "
          "kept, and become weights from 0, where the share begins, to 1; the differences are "
          "averaged by them. Of the magnitudes the 0.01 % largest and least count as what stands "
          "next to them.\n\n"
          "This is what the authors' code computes, where the paper writes a softmax for the "
          "exponential. The code takes a whole model as one vector; here each tensor is one. A "
          "change against the sum of all is never kept, where the code keeps some if density is "
          "above the share of those that agree, and a tensor of equal scores adds nothing.",
      .formula =
          "base + lambda*sum(s_i*d_i) / sum(s_i), s_i = exp(m*norm(|d_i|)^2)*tanh(d_i*sum(d_j)) "
          "of m models, those above the quantile 1 - density, scaled to 0 ... 1",
      .source = "PCB-Merging, arXiv:2410.02396, as in its authors' code",
      .example = "mix: {op: pcb, base: base, of: [photo, anime], density: 0.1}",
      .uses = {"combine several fine-tunes", "fewer conflicts between fine-tunes"},
      .operands = {BaseOperand()},
      .list = FineTunes(false),
      .result = Kind::kWeight,
      .parameters = {{.name = "density",
                      .default_value = 0.1,
                      .by_place = true,
                      .by_entry = true,
                      .low = 0,
                      .high = 1,
                      .doc = "The share of each difference that is kept."},
                     LambdaParameter()},
      .check = CheckFineTunes,
      .lower = LowerPcb,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
