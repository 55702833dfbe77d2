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

std::optional<Shape> ScalesOfF8Scaled(const Shape& weight) {
  return ElementCount(weight).value_or(0) == 0 ? std::nullopt : std::optional(Shape());
}

}  // namespace

const Encoding& f8_scaled() {
  using Use = EncodingCompanion::Use;
  static const Encoding declaration{
      .id = "f8_scaled",
      .doc = "fp8 with one scale, or one for each row",
      .source = "ComfyUI's scaled fp8",
      .codes = {DType::kF8E4M3, DType::kF8E5M2},
      .companions = {{.end = ".scale_weight", .scheme = "scaled"},
                     {.end = ".weight_scale", .scheme = "scaled"},
                     {.end = ".scale_input", .use = Use::kMark, .scheme = "scaled"},
                     {.end = ".input_scale", .use = Use::kMark, .scheme = "scaled"},
                     {.end = ".comfy_quant", .use = Use::kMark, .scheme = "comfy_quant"},
                     {.end = "scaled_fp8", .use = Use::kMarker, .scheme = "scaled_fp8"}},
      .grid = GridOfF8Scaled,
      .scales_of = ScalesOfF8Scaled,
  };
  return declaration;
}

}  // namespace weightsmith::internal::encodings
