#include "core/tensor/encoding.h"

namespace weightsmith::internal::encodings {
namespace {

/// One number, or one for each row.
std::optional<Grid> GridOfF8Scaled(const Shape& weight, const Shape& scales) {
  const std::uint64_t elements = ElementCount(weight).value_or(0);
  const std::uint64_t numbers = ElementCount(scales).value_or(0);
  if (numbers == 1) return Grid::Whole(elements);
  const bool each_row =
      numbers > 0 && !weight.empty() && numbers == weight[0] && scales.front() == numbers;
  return each_row ? std::optional(Grid::Rows(elements / numbers)) : std::nullopt;
}

}  // namespace

const Encoding& f8_scaled() {
  static const Encoding declaration{
      .id = "f8_scaled",
      .doc = "fp8 with one scale, or one for each row",
      .source = "ComfyUI's scaled fp8",
      .codes = {DType::kF8E4M3, DType::kF8E5M2},
      .scales = {".scale_weight", ".weight_scale"},
      .marks = {"scaled_fp8", ".scale_input", ".input_scale", ".comfy_quant"},
      .grid = GridOfF8Scaled,
  };
  return declaration;
}

}  // namespace weightsmith::internal::encodings
