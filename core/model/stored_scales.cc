#include "core/model/stored_scales.h"

#include <algorithm>
#include <string_view>

namespace weightsmith::internal {
namespace {

/// The first encoding that has such scales for such codes.
const Encoding* EncodingOf(const TensorInfo& codes, const TensorInfo& scales,
                           std::string_view end) {
  const DTypeInfo& dtype = Info(scales.dtype);
  if (!dtype.has_codec || dtype.bits <= 8) return nullptr;
  for (const Encoding* encoding : Encodings()) {
    if (std::ranges::find(encoding->codes, codes.dtype) == encoding->codes.end()) continue;
    if (HasScales(*encoding, end) && encoding->grid(codes.shape, scales.shape)) return encoding;
  }
  return nullptr;
}

void JoinScalesOf(std::span<const CheckpointTensor> tensors, const Anatomy& anatomy,
                  QuantisedWeight& weight) {
  const std::uint32_t codes = weight.codes.front();
  const std::string_view name = anatomy.tensors[codes].local;
  if (weight.codes.size() > 1 || !name.ends_with(kWeightEnd)) return;
  const std::string_view module = name.substr(0, name.size() - kWeightEnd.size());
  const Encoding* found = nullptr;
  std::uint32_t scales = 0;
  for (const std::uint32_t companion : weight.companions) {
    const std::string_view own = anatomy.tensors[companion].local;
    if (IsEncodingMark(own)) continue;
    // Two scales, or anything else beside one, are another format's.
    if (found != nullptr || !own.starts_with(module)) return;
    found = EncodingOf(tensors[codes].info, tensors[companion].info, own.substr(module.size()));
    if (found == nullptr) return;
    scales = companion;
  }
  weight.encoding = found;
  weight.scales = scales;
}

}  // namespace

std::optional<Grid> StoredScales::CellsOf(const Shape& weight) const {
  return encoding->grid(weight, tensor->info.shape);
}

void JoinScales(std::span<const CheckpointTensor> tensors, Anatomy& anatomy) {
  for (QuantisedWeight& weight : anatomy.quantised) JoinScalesOf(tensors, anatomy, weight);
}

std::optional<StoredScales> ScalesOf(std::span<const CheckpointTensor> tensors,
                                     const Anatomy& anatomy, std::uint32_t tensor) {
  const std::uint32_t number = anatomy.tensors[tensor].quantised;
  if (number == 0) return std::nullopt;
  const QuantisedWeight& weight = anatomy.quantised[number - 1];
  if (weight.encoding == nullptr || weight.codes.front() != tensor) return std::nullopt;
  return StoredScales{weight.encoding, &tensors[weight.scales]};
}

}  // namespace weightsmith::internal
