// Weights that are stored in fp8 with a scale beside them: the real weight is their product.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "merge/plan/model_index.h"

namespace weightsmith {

/// The key of the scale of a weight, where the model has it: ComfyUI's "x.scale_weight" and
/// "x.weight_scale" of an fp8 "x.weight", one number or one for each row. Nothing for a weight that
/// is not stored so.
std::optional<TensorKey> ScaleKeyOf(const ModelIndex& model, const TensorKey& weight);

/// The weight that a tensor belongs to, where it is stored in codes that are not decoded: it can be
/// copied with all that belongs to it, and not computed with. Null for any other tensor.
const StoredWeight* NotDecoded(const ModelIndex& model, const TensorKey& key);

/// Whether the tensor is such a scale.
bool IsScaleKey(const ModelIndex& model, const TensorKey& key);

/// Whether the tensor says something of how weights are stored in fp8 (a marker, the scale of what
/// goes into a layer), and so means nothing where they are stored otherwise.
bool IsScaledMark(std::string_view key);

}  // namespace weightsmith
