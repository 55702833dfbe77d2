#include "merge/plan/scaled.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/tensor/dtype.h"

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
  const StoredWeight* const stored = model.StoredWeightOf(weight);
  if (stored == nullptr || stored->keys.front() != weight) return std::nullopt;
  const std::string stem = weight.substr(0, weight.size() - kWeight.size());
  std::optional<TensorKey> found;
  for (const TensorKey& key : std::span(stored->keys).subspan(1)) {
    if (IsScaledMark(key)) continue;
    const bool named = std::ranges::any_of(
        kScales, [&](std::string_view end) { return key == stem + std::string(end); });
    // Two scales, or anything else beside one, are another format's.
    if (!named || found || !Fits(model.Find(key)->stored->info, tensor->stored->info)) {
      return std::nullopt;
    }
    found = key;
  }
  return found;
}

const StoredWeight* NotDecoded(const ModelIndex& model, const TensorKey& key) {
  const StoredWeight* const stored = model.StoredWeightOf(key);
  if (stored == nullptr || ScaleKeyOf(model, stored->keys.front())) return nullptr;
  const Role role = model.Find(key)->anatomy->role;
  return role == Role::kEma ? nullptr : stored;
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
