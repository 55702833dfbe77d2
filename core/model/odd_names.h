// Tensors that are known by their names and belong to no architecture: markers, training state,
// tokenizers, companions of quantised weights.
#pragma once

#include <optional>
#include <string_view>

#include "core/model/architecture.h"

namespace weightsmith::internal {

/// Says how the model predicts; stands at the root of a file, often without elements.
bool IsMarkerName(std::string_view name);

/// A noise schedule or another buffer of training, at the root of a file.
bool IsTrainingBufferName(std::string_view name);

/// Part of an averaged copy of the weights, of the whole model or inside a VAE.
bool IsEmaName(std::string_view name);

/// Of a diffusion model that nobody declared: the weight whose columns are its input channels.
bool IsInputName(std::string_view name);

/// The scheme that a companion of a quantised weight belongs to; nothing for any other name.
/// "scaled" stands for a scale beside the weight, whatever the weight's dtype is.
std::optional<std::string_view> QuantizationScheme(std::string_view name);

/// The role that a name and a dtype tell where no rule does.
Role RoleByName(std::string_view name, DType dtype);

}  // namespace weightsmith::internal
