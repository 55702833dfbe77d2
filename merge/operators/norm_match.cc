#include "merge/arithmetic/similarity.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

/// A tensor of a smaller norm has no direction, and stays what it is.
constexpr double kNoDirection = 1e-8;

Value LowerNormMatch(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double t = tape.Round(given.parameters.Number("alpha"));
  if (t == 0 || a == b) return b;
  const bool by_rows = given.parameters.Word("by") == "rows";
  const Grid rows = WithinRows(given.shape);
  const auto norm_of = [&](Value x) { return by_rows ? tape.NormOf(rows, x) : tape.Norm(x); };
  const Scalar own = norm_of(b);
  const Scalar norm = tape.Plus(tape.Times(tape.Difference(1, t), own), tape.Times(t, norm_of(a)));
  const Scalar factor = tape.Select(kNoDirection, own, tape.Over(norm, own), 1);
  tape.Tell("factor", factor);
  if (by_rows) return tape.Multiply(tape.Spread(factor, rows), b);
  return tape.Scale(factor, b);
}

}  // namespace

const Operator& norm_match() {
  static const Operator declaration{
      .name = "norm_match",
      .summary = "Scales one model to the norms of another, tensor by tensor.",
      .doc =
          "Every tensor keeps the direction that it has in b and gets the length that it has in a. "
          "Between alpha 0 and 1 its norm is interpolated on the straight line. At alpha 0 the "
          "result is b, byte for byte; a tensor of b that is zero stays so.\n\n"
          "With `by: rows` every place of the first dimension (an output channel, a neuron) gets "
          "the length that it has in a. To normalize any result to a reference, give the reference "
          "as a.",
      .formula = "(((1 - alpha)*|b| + alpha*|a|) / |b|)*b, |x| the norm of the tensor",
      .source = "Norm transfer (weight rescaling)",
      .example = "mix: {op: norm_match, a: photo, b: anime, alpha: 1}",
      .uses = {"restore contrast after a merge", "repair washed out colours",
               "match the strength of another model"},
      .operands = {{.name = "a", .doc = "Gives the norms."},
                   {.name = "b", .doc = "What is scaled to them."}},
      .parameters = {{.name = "alpha",
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "How far from the norm of b to that of a."},
                     {.name = "by",
                      .type = ParameterType::kWord,
                      .default_value = 0,
                      .words = {"tensor", "rows"},
                      .doc = "What has a norm of its own."}},
      .lower = LowerNormMatch,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
