// Components of a file by the names that people give.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/model/anatomy.h"

namespace weightsmith::internal {

/// The components that the words name, by the names that `info` shows. "te" is every text encoder,
/// "unet" or "transformer" the diffusion model, whichever it is. Throws kMismatch for one that the
/// file does not have; `doing` begins the message.
std::set<std::string> ChosenComponents(const std::vector<std::string>& words,
                                       const Anatomy& anatomy, std::string_view doing);

}  // namespace weightsmith::internal
