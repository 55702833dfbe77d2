#include "merge/plan/scaled.h"

#include <algorithm>
#include <span>
#include <string>

#include "core/tensor/encoding.h"

namespace weightsmith::internal {
namespace {

/// The cells of the weight in the first encoding that has such scales.
std::optional<Grid> CellsOf(DType codes, const Shape& weight, const TensorInfo& scales,
                            std::string_view end) {
  const DTypeInfo& dtype = Info(scales.dtype);
  if (!dtype.has_codec || dtype.bits <= 8) return std::nullopt;
  for (const Encoding* encoding : Encodings()) {
    if (std::ranges::find(encoding->codes, codes) == encoding->codes.end()) continue;
    if (!HasScales(*encoding, end)) continue;
    if (auto cells = encoding->grid(weight, scales.shape)) return cells;
  }
  return std::nullopt;
}

}  // namespace

std::optional<WeightScale> ScaleOf(const ModelIndex& model, const TensorKey& weight) {
  const ModelTensor* tensor = model.Find(weight);
  return tensor == nullptr ? std::nullopt : ScaleOf(model, weight, tensor->stored->info.shape);
}

std::optional<WeightScale> ScaleOf(const ModelIndex& model, const TensorKey& weight,
                                   const Shape& shape) {
  const ModelTensor* tensor = model.Find(weight);
  if (tensor == nullptr || !weight.tensor.ends_with(kWeightEnd)) return std::nullopt;
  const StoredWeight* const stored = model.StoredWeightOf(weight);
  if (stored == nullptr || stored->keys.front() != weight) return std::nullopt;
  const std::string stem = weight.tensor.substr(0, weight.tensor.size() - kWeightEnd.size());
  std::optional<WeightScale> found;
  for (const TensorKey& key : std::span(stored->keys).subspan(1)) {
    if (IsEncodingMark(key.tensor)) continue;
    if (!key.tensor.starts_with(stem)) return std::nullopt;
    const auto cells = CellsOf(tensor->stored->info.dtype, shape, model.Find(key)->stored->info,
                               std::string_view(key.tensor).substr(stem.size()));
    // Two scales, or anything else beside one, are another format's.
    if (!cells || found) return std::nullopt;
    found = WeightScale{key, *cells};
  }
  return found;
}

const StoredWeight* NotDecoded(const ModelIndex& model, const TensorKey& key) {
  const StoredWeight* const stored = model.StoredWeightOf(key);
  if (stored == nullptr || ScaleOf(model, stored->keys.front())) return nullptr;
  const Role role = model.Find(key)->anatomy->role;
  return role == Role::kEma ? nullptr : stored;
}

bool IsScaleKey(const ModelIndex& model, const TensorKey& key) {
  for (const Encoding* encoding : Encodings()) {
    for (const auto& [end, use, scheme] : encoding->companions) {
      if (use != EncodingCompanion::Use::kScales || !key.tensor.ends_with(end)) continue;
      const std::string stem = key.tensor.substr(0, key.tensor.size() - end.size());
      const TensorKey weight{key.component, stem + std::string(kWeightEnd)};
      const auto scale = ScaleOf(model, weight);
      if (scale && scale->key == key) return true;
    }
  }
  return false;
}

}  // namespace weightsmith::internal
