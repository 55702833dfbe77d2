// Weights that are stored as codes with scales beside them, in an encoding that is known: the real
// weight is their product.
#pragma once

#include <optional>
#include <string_view>

#include "core/tensor/grid.h"
#include "merge/plan/model_index.h"

namespace weightsmith::internal {

/// The scales of a weight.
struct WeightScale {
  TensorKey key;
  Grid cells;  ///< of the weight, that each scale is for
};

/// The scales of a weight, where the model stores it in one of Encodings(); nothing for any other.
std::optional<WeightScale> ScaleOf(const ModelIndex& model, const TensorKey& weight);

/// The same where the weight is taken for one of that shape, which may have more input channels;
/// nothing where the scales do not fit it.
std::optional<WeightScale> ScaleOf(const ModelIndex& model, const TensorKey& weight,
                                   const Shape& shape);

/// The weight that a tensor belongs to, where it is stored in codes that are not decoded: it can be
/// copied with all that belongs to it, and not computed with. Null for any other tensor.
const StoredWeight* NotDecoded(const ModelIndex& model, const TensorKey& key);

/// Whether the tensor holds the scales of a weight that ScaleOf decodes.
bool IsScaleKey(const ModelIndex& model, const TensorKey& key);

}  // namespace weightsmith::internal
