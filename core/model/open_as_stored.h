// A checkpoint under the names that its files have, also where it is a pipeline of several folders.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/formats/checkpoint.h"

namespace weightsmith::internal {

/// Opens a file or a folder as Checkpoint::Open does, and the folder of a diffusers pipeline, in
/// which names of tensors begin with their folder's.
std::shared_ptr<const Checkpoint> OpenAsStored(const std::filesystem::path& path,
                                               std::optional<IoBackend> backend = std::nullopt,
                                               const std::string& key = {});

}  // namespace weightsmith::internal
