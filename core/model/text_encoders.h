// Text encoders by number: "te1" is the first that the architecture's declaration has.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/model/architecture.h"

namespace weightsmith::internal {

/// The number of a text encoder among those of the components, from 1. 0: `name` is none of them.
std::uint32_t TextEncoderNumber(std::span<const ComponentRule> components, std::string_view name);

/// The same by architecture. Null, for files whose architecture is not known: the number that the
/// encoder has in every architecture with it; 0 where they differ.
std::uint32_t TextEncoderNumber(const Architecture* architecture, std::string_view name);

/// What diffusers calls the encoder of that number: "text_encoder", "text_encoder_2".
std::string TextEncoderFolder(std::uint32_t number);

}  // namespace weightsmith::internal
