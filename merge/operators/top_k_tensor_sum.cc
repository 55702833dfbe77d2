#include <array>

#include "merge/arithmetic/region.h"
#include "merge/operator.h"
#include "merge/program/order.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerTopKTensorSum(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const std::uint64_t elements = ElementCount(given.shape).value_or(0);
  if (elements < 2 || a == b) return a;
  const Region region =
      RegionOf(given.parameters.Number("width"), given.parameters.Number("offset"), elements);
  const Value result =
      tape.Transformed(Redistribute(), std::array{a, b},
                       {.first = region.first, .end = region.end, .inverted = region.inverted});
  tape.Tell("redistributed", tape.ToldBy(result, 0), Unit::kShare);
  return result;
}

}  // namespace

const Operator& top_k_tensor_sum() {
  static const Operator declaration{
      .name = "top_k_tensor_sum",
      .summary = "Puts a's own values in the order that b's have.",
      .doc =
          "The smallest value of a goes to where b is smallest, and so on: the "
          "distribution is that of a, the pattern that of b. Only values whose "
          "magnitude is among a share of `width` of all, from `offset` on (0: the "
          "smallest), are moved; the others stay, and values may then occur twice. "
          "What goes over the largest goes on with the smallest.\n\n"
          "Of differences to a base, as in sd-mecha's copy_region, subtract the base "
          "from both and add the result to it. A tensor is held whole while it is "
          "computed.",
      .formula =
          "r[argsort(b)[i]] = sort(a)[i] where |sort(a)[i]| is from the "
          "round(offset*n)-th to the round((offset + width)*n)-th smallest, else a",
      .source = "sd-mecha's top_k_tensor_sum (meh leaves out the first value)",
      .example = "mix: {op: top_k_tensor_sum, a: photo, b: anime, width: 0.5, offset: 0}",
      .uses = {"take structure of one model with the values of another", "style transfer"},
      .operands = {{.name = "a", .doc = "Gives the values."},
                   {.name = "b", .doc = "Gives their order."}},
      .parameters = {{.name = "width",
                      .default_value = 1.0,
                      .by_place = true,
                      .low = -1,
                      .high = 1,
                      .doc = "Share of the values that move."},
                     {.name = "offset",
                      .default_value = 0.0,
                      .by_place = true,
                      .low = -1,
                      .high = 1,
                      .doc = "Where those begin, by magnitude."}},
      .lower = LowerTopKTensorSum,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
