#include "merge/arithmetic/region.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

/// The rows of b in a region, those of a elsewhere.
Value LowerTensorSum(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double width = given.parameters.Number("width");
  const std::uint64_t elements = ElementCount(given.shape).value_or(0);
  if (given.shape.empty()) return width > 0.5 ? b : a;
  if (elements == 0 || a == b) return a;
  const std::uint64_t rows = given.shape.front();
  const Region region = RegionOf(width, given.parameters.Number("offset"), rows,
                                 given.parameters.Word("ends") == "truncated");
  tape.Tell("taken", ShareOfPlaces(region, rows), Unit::kShare, Subject::Operand(1));
  return TakeRegion(tape, a, b, region, elements, elements / rows);
}

}  // namespace

const Operator& tensor_sum() {
  static const Operator declaration{
      .name = "tensor_sum",
      .summary = "Takes some rows of every tensor from b, the others from a.",
      .doc =
          "Rows are the places of the first dimension: output channels, neurons. "
          "`width` is the share of them that b gives, `offset` where they begin; what "
          "goes over the last row goes on with the first. A number, a tensor of no "
          "dimensions, is that of b where width is above 0.5.\n\n"
          "In SuperMerger and meh width is alpha and offset is beta, and both "
          "truncate the ends to whole rows (`ends: truncated`), where sd-mecha "
          "rounds them. At width 0 the result is a, at 1 it is b, byte for byte.",
      .formula = "rows round(offset*n) to round((offset + width)*n) of b, the others of a",
      .source = "sd-mecha's and meh's tensor_sum; SuperMerger, \"tensor\"",
      .example = "mix: {op: tensor_sum, a: photo, b: anime, width: 0.4, offset: 0.3}",
      .uses = {"exchange channels of two models", "blend without averaging"},
      .operands = {{.name = "a", .doc = "What width 0 gives."},
                   {.name = "b", .doc = "What width 1 gives."}},
      .parameters = {WidthParameter("Share of the rows that b gives."), OffsetParameter(),
                     EndsParameter("How ends become whole rows.")},
      .lower = LowerTensorSum,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
