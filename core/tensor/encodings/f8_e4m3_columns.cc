#include "core/tensor/encoding.h"

namespace weightsmith::internal::encodings {
namespace {

std::optional<Grid> GridOfF8E4m3Columns(const Shape& weight, const Shape& scales) {
  return GridOfBlocks(weight, scales, 1, 64);
}

}  // namespace

const Encoding& f8_e4m3_columns() {
  static const Encoding declaration{
      .id = "f8_e4m3_columns",
      .doc = "fp8 with a scale for each 64 columns of a row",
      .source = "Group-wise scaling along the inputs of a layer",
      .codes = {DType::kF8E4M3},
      .scales = {".weight_col_scale"},
      .grid = GridOfF8E4m3Columns,
  };
  return declaration;
}

}  // namespace weightsmith::internal::encodings
