#include "core/tensor/encoding.h"

namespace weightsmith::internal::encodings {
namespace {

std::optional<Grid> GridOfF8Block128(const Shape& weight, const Shape& scales) {
  return GridOfBlocks(weight, scales, 128, 128);
}

std::optional<Shape> ScalesOfF8Block128(const Shape& weight) {
  if (weight.size() != 2 || weight[0] == 0 || weight[1] == 0) return std::nullopt;
  return Shape{(weight[0] + 127) / 128, (weight[1] + 127) / 128};
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
      .scales_of = ScalesOfF8Block128,
  };
  return declaration;
}

}  // namespace weightsmith::internal::encodings
