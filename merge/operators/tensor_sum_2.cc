#include "merge/arithmetic/region.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

/// Of a second dimension with no more places the first one is cut.
constexpr std::uint64_t kFewColumns = 100;

Value LowerTensorSum2(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double width = given.parameters.Number("width");
  const Shape& shape = given.shape;
  const std::uint64_t elements = ElementCount(shape).value_or(0);
  if (shape.empty()) return width > 0.5 ? b : a;
  if (elements == 0 || a == b) return a;
  const std::size_t dimension = shape.size() > 1 && shape[1] > kFewColumns ? 1 : 0;
  const Region region = RegionOf(width, given.parameters.Number("offset"), shape[dimension],
                                 given.parameters.Word("ends") == "truncated");
  tape.Tell("taken", ShareOfPlaces(region, shape[dimension]), Unit::kShare, Subject::Operand(1));
  const std::uint64_t whole = dimension == 0 ? elements : elements / shape[0];
  return TakeRegion(tape, a, b, region, whole, whole / shape[dimension]);
}

}  // namespace

const Operator& tensor_sum_2() {
  static const Operator declaration{
      .name = "tensor_sum_2",
      .summary = "Takes some columns of every tensor from b, the others from a.",
      .doc =
          "Columns are the places of the second dimension: input channels. Where it "
          "has 100 or fewer, or there is none, rows are taken as tensor_sum does. "
          "`width` is the share of the columns that b gives, `offset` where they "
          "begin; what goes over the last column goes on with the first.\n\n"
          "SuperMerger truncates the ends to whole columns (`ends: truncated`); of "
          "tensors with a second dimension of 100 or fewer it takes the numbers of "
          "rows for columns, which this does not.",
      .formula = "columns round(offset*n) to round((offset + width)*n) of b, the others of a",
      .source = "SuperMerger, \"tensor2\"",
      .example = "mix: {op: tensor_sum_2, a: photo, b: anime, width: 0.4, offset: 0.3}",
      .uses = {"exchange input channels of two models", "blend without averaging"},
      .operands = {{.name = "a", .doc = "What width 0 gives."},
                   {.name = "b", .doc = "What width 1 gives."}},
      .parameters = {WidthParameter("Share of the columns that b gives."), OffsetParameter(),
                     EndsParameter("How ends become whole columns.")},
      .lower = LowerTensorSum2,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
