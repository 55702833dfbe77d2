// What people call models: "sd 1.5", "FLUX dev", "SDXL base", beside the names of declarations.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/architecture.h"

namespace weightsmith::internal {

/// The name that `synth` makes a model or a part by: "sd15" of "SD 1.5", "flux1-dev" of "flux1".
/// Case, spaces, dots, hyphens and underscores make no difference. Known are the names of `synth`,
/// an id or a title with or without a variant, modelspec's names, and what people say.
std::optional<std::string> SynthNameOf(std::string_view words);

/// The architecture by any of these names; null for an unknown one.
const Architecture* ArchitectureOf(std::string_view words);

/// Names to choose the nearest from: ids, names of `synth`, and what people say.
std::vector<std::string> KnownArchitectureNames();

}  // namespace weightsmith::internal
