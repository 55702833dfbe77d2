#include "merge/scaled.h"

#include <algorithm>
#include <array>

#include "core/dtype.h"

namespace weightsmith {
namespace {

constexpr std::string_view kWeight = ".weight";
constexpr std::array<std::string_view, 2> kScales = {".scale_weight", ".weight_scale"};
constexpr std::array<std::string_view, 4> kMarks = {"scaled_fp8", ".scale_input", ".input_scale",
                                                    ".comfy_quant"};

bool IsFp8(DType dtype) {
  return dtype == DType::kF8E4M3 || dtype == DType::kF8E5M2;
}

/// One number, or one for each row of the weight.
bool Fits(const TensorInfo& scale, const TensorInfo& weight) {
  const std::uint64_t elements = scale.elements();
  const bool each_row = !weight.shape.empty() && elements == weight.shape[0] &&
                        !scale.shape.empty() && scale.shape[0] == elements;
  return Info(scale.dtype).has_codec && !IsFp8(scale.dtype) && (elements == 1 || each_row);
}

}  // namespace

std::optional<TensorKey> ScaleKeyOf(const ModelIndex& model, const TensorKey& weight) {
  const ModelTensor* tensor = model.Find(weight);
  if (tensor == nullptr || !IsFp8(tensor->stored->info.dtype) || !weight.ends_with(kWeight)) {
    return std::nullopt;
  }
  const std::string stem = weight.substr(0, weight.size() - kWeight.size());
  // Two scales are another format's.
  if (model.Find(stem + ".weight_scale_2") != nullptr) return std::nullopt;
  for (const std::string_view end : kScales) {
    TensorKey key = stem + std::string(end);
    const ModelTensor* scale = model.Find(key);
    if (scale != nullptr && Fits(scale->stored->info, tensor->stored->info)) return key;
  }
  return std::nullopt;
}

bool IsScaleKey(const ModelIndex& model, const TensorKey& key) {
  for (const std::string_view end : kScales) {
    if (!key.ends_with(end)) continue;
    const TensorKey weight = key.substr(0, key.size() - end.size()) + std::string(kWeight);
    return ScaleKeyOf(model, weight) == key;
  }
  return false;
}

bool IsScaledMark(std::string_view key) {
  return std::ranges::any_of(kMarks, [&](std::string_view mark) { return key.ends_with(mark); });
}

}  // namespace weightsmith
