#include "merge/arithmetic/cells.h"

namespace weightsmith::internal::operators {
namespace {

/// A shorter vector counts as one of this length.
constexpr double kLeastLength = 1e-7;
/// Below this sine vectors are parallel or opposite: on the arc between them numbers lose their
/// digits, while the straight line differs from it by less than f32 can show, or is the only way.
constexpr double kLeastSine = 1e-4;

Cells CellsOfNuslerp(const Arguments& given) {
  const std::string_view by = given.parameters.Word("by");
  if (by == "rows") return Cells::Rows(given.shape);
  return by == "columns" ? Cells::Columns(given.shape) : Cells::Tensor();
}

Value LowerNuslerp(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const Value base = given.operands.size() > 2 ? given.operands[2] : Value::Zero();
  const double t = tape.Round(given.parameters.Number("alpha"));
  if (t == 0 || a == b) return a;
  if (t == 1) return b;
  const Cells cells = CellsOfNuslerp(given);
  const Value x = tape.Subtract(a, base);
  const Value y = tape.Subtract(b, base);
  const auto length = [&](Value v) { return tape.Greater(cells.Norm(tape, v), kLeastLength); };
  const Scalar cosine = tape.Over(cells.Dot(tape, x, y), tape.Times(length(x), length(y)));
  const Scalar angle = tape.ArcCosine(tape.Lesser(tape.Greater(cosine, -1), 1));
  tape.Tell("angle", tape.Degrees(angle), Unit::kDegrees);
  const Scalar straight = tape.Select(tape.Sine(angle), kLeastSine, 1, 0);
  tape.TellIfAny("parallel", tape.Select(0, cosine, straight, 0));
  tape.TellIfAny("opposite", tape.Select(cosine, 0, straight, 0));
  const auto share = [&](double part) {
    const Scalar sine = tape.Sine(angle);
    const Scalar arc = tape.Over(tape.Sine(tape.Times(part, angle)), sine);
    return tape.Select(sine, kLeastSine, part, arc);
  };
  return tape.Add(base, cells.Blend(tape, share(tape.Difference(1, t)), x, share(t), y));
}

}  // namespace

const Operator& nuslerp() {
  static const Operator declaration{
      .name = "nuslerp",
      .summary = "Blends two models, or what they learned, along the arc between them.",
      .doc =
          "As slerp, and with a base the arc lies between the differences to it. Every tensor is "
          "one vector, or with `by: rows` every row of a matrix (what belongs to one output; of a "
          "convolution all of its kernel), with `by: columns` every column. Tensors of one "
          "dimension are one vector always. Vectors that are parallel or opposite are blended on "
          "the straight line.\n\n"
          "mergekit's nuslerp of the weights v and w is alpha w / (v + w); `nuslerp_flatten: "
          "false` is rows, and with `nuslerp_row_wise` columns. Its rows of a convolution are the "
          "last dimension alone, and where its vectors are opposite it divides by almost 0.",
      .formula =
          "base + (sin((1 - alpha)*w)*(a - base) + sin(alpha*w)*(b - base)) / sin(w), w the angle "
          "between a - base and b - base",
      .source = "Shoemake, 1985; mergekit's nuslerp",
      .example = "mix: {op: nuslerp, a: photo, b: anime, base: base, alpha: 0.4}",
      .uses = {"blend two models and keep their strength", "language models"},
      .operands = {{.name = "a", .doc = "What alpha 0 gives."},
                   {.name = "b", .doc = "What alpha 1 gives."},
                   {.name = "base", .doc = "Where the arc has its centre.", .optional = true}},
      .parameters = {{.name = "alpha",
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "How far along the arc from a to b."},
                     {.name = "by",
                      .type = ParameterType::kWord,
                      .default_value = 0,
                      .words = {"tensor", "rows", "columns"},
                      .doc = "What is one vector."}},
      .lower = LowerNuslerp,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
