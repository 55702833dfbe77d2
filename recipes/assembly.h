// A model that is put together from the files of its components.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/formats/checkpoint.h"

namespace weightsmith::internal {

/// What parts may be called: every component that an architecture has ("unet", "clip_l", "vae"),
/// and text encoders by their number ("te1").
std::span<const std::string> PartNames();
/// Parts whose tensors go in under their own names.
std::span<const std::string_view> LoosePartNames();
bool IsLoosePart(std::string_view name);

/// Parts by name: the loose ones as they are, all others under canonical names.
using PartFiles = std::map<std::string, std::shared_ptr<const Checkpoint>>;

/// One checkpoint of the architecture. Throws kUsage for an unknown architecture or part, kMismatch
/// for a file that is not the component that it is given as, or not complete.
std::shared_ptr<const Checkpoint> Assembled(const std::string& architecture,
                                            const PartFiles& parts);

}  // namespace weightsmith::internal
