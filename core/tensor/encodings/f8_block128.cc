#include "core/tensor/encoding.h"

namespace weightsmith::internal::encodings {
namespace {

std::optional<Grid> GridOfF8Block128(const Shape& weight, const Shape& scales) {
  return GridOfBlocks(weight, scales, 128, 128);
}

}  // namespace

const Encoding& f8_block128() {
  static const Encoding declaration{
      .id = "f8_block128",
      .doc = "fp8 with a scale for each 128 x 128 elements of a matrix",
      .source = "DeepSeek-V3; transformers' FineGrainedFP8",
      .codes = {DType::kF8E4M3},
      // A factor, in spite of its name.
      .companions = {{.end = ".weight_scale_inv"}},
      .grid = GridOfF8Block128,
  };
  return declaration;
}

}  // namespace weightsmith::internal::encodings
