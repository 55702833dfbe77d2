// The whole difference of a weight or a bias, as it is.

#include "merge/adapters/adapter_family.h"
#include "merge/adapters/delta_rows.h"

namespace weightsmith::internal::adapter_families {
namespace {

using enum AdapterRole;

MatrixSize SizeOfFull(const AdapterShapes& shapes) {
  return SizeAsMatrix(shapes.at(kDiff));
}

std::uint64_t BytesOfFull(const AdapterShapes&, const MatrixSize& weight) {
  return weight.rows * weight.columns * sizeof(float);
}

std::unique_ptr<DeltaRows> RowsOfFull(const AdapterValues& values, const AdapterWeight&) {
  return std::make_unique<StoredRows>(SizeOfFull(values.shapes).columns, values.values.at(kDiff));
}

}  // namespace

const AdapterFamily& full() {
  static const AdapterFamily family = {.id = "full",
                                       .title = "Difference",
                                       .source = "LyCORIS, ComfyUI",
                                       .formula = "W + diff, b + diff_b",
                                       .precedence = 70,
                                       .known_by = {kDiff, kDiffBias},
                                       .forms = {{kDiff}, {kDiffBias}},
                                       .optional = {kReshapeWeight},
                                       .size = SizeOfFull,
                                       .rows = RowsOfFull,
                                       .bytes = BytesOfFull};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
