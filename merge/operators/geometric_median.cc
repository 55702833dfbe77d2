#include "merge/arithmetic/median.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckGeometricMedian(const ArgumentsGiven& given) {
  return given.list < 2 ? "`of` needs at least two models" : "";
}

Value LowerGeometricMedian(Lowering& tape, const Arguments& given) {
  return MedianOf(tape, given.list);
}

}  // namespace

const Operator& geometric_median() {
  static const Operator declaration{
      .name = "geometric_median",
      .summary =
          "What is nearest to several models at once: one that is far off counts "
          "little.",
      .doc =
          "Every tensor is a point; the result is the point with the least sum of "
          "distances to all of them. Where three models agree and a fourth does not, "
          "it is much nearer to the three than the average is. Of two models it is "
          "the average.\n\n"
          "The point is found by Weiszfeld's iteration from the average, at most 100 "
          "steps, on the scalar products of the models' differences, so that the "
          "models are read twice and no more. sd-mecha computes each step in f32 on "
          "all elements.",
      .formula =
          "sum(s_i*x_i), s_i = (1/d_i) / sum(1/d_j), d_i = max(|x_i - result|, 1e-6), "
          "iterated from s_i = 1/n",
      .source = "sd-mecha's geometric_median; Weiszfeld, 1937",
      .example = "soup: {op: geometric_median, of: [photo, anime, base]}",
      .uses = {"combine several fine-tunes of one base", "average models of which some may be bad"},
      .list = OperandListSpec{.name = "of", .doc = "The models."},
      .parameters = {VaeParameter()},
      .check = CheckGeometricMedian,
      .lower = LowerGeometricMedian,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
