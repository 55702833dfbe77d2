// The differences of a normalisation's weight and bias.

#include "merge/adapters/adapter_family.h"
#include "merge/adapters/delta_rows.h"

namespace weightsmith::internal::adapter_families {
namespace {

using enum AdapterRole;

MatrixSize SizeOfNorm(const AdapterShapes& shapes) {
  return SizeAsMatrix(shapes.at(kNormDiff));
}

std::unique_ptr<DeltaRows> RowsOfNorm(const AdapterValues& values, const AdapterWeight&) {
  return std::make_unique<StoredRows>(SizeOfNorm(values.shapes).columns,
                                      values.values.at(kNormDiff));
}

}  // namespace

const AdapterFamily& norm() {
  static const AdapterFamily family = {.id = "norm",
                                       .title = "Difference of a norm",
                                       .source = "LyCORIS",
                                       .formula = "W + w_norm, b + b_norm",
                                       .precedence = 75,
                                       .known_by = {kNormDiff, kNormDiffBias},
                                       .forms = {{kNormDiff}, {kNormDiffBias}},
                                       .size = SizeOfNorm,
                                       .rows = RowsOfNorm};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
