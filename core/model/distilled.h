// Models that were distilled to draw in a few steps: as far as a header tells.
#pragma once

#include <optional>
#include <string>

#include "core/model/anatomy.h"

namespace weightsmith::internal {

/// By the tensors (schnell, LCM), or by what the metadata say of architecture and title (turbo,
/// lightning, hyper …). Most such models have the tensors of their base: nothing is no denial.
std::optional<Distilled> TellDistilled(const Anatomy& anatomy,
                                       const std::optional<Metadata>& metadata);

}  // namespace weightsmith::internal
