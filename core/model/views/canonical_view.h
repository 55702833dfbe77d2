// Checkpoints in other namings (diffusers' files and folders, text encoders as Hugging Face names
// them) read as what they are: a view of the same files under canonical names, with nothing copied.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/formats/checkpoint.h"

namespace weightsmith::internal {

/// The view, or the checkpoint itself where its names are canonical or unknown. What no rule
/// speaks of keeps its name.
std::shared_ptr<const Checkpoint> CanonicalView(std::shared_ptr<const Checkpoint> checkpoint);

/// Opens a file or a folder, as OpenAsStored does.
std::shared_ptr<const Checkpoint> OpenCanonical(const std::filesystem::path& path,
                                                std::optional<IoBackend> backend = std::nullopt,
                                                const std::string& key = {});

/// The checkpoint under every naming that it can be read in, its own first: that of diffusers or
/// Hugging Face under the publisher's names too.
std::vector<std::shared_ptr<const Checkpoint>> NamingsOf(
    const std::shared_ptr<const Checkpoint>& checkpoint);

}  // namespace weightsmith::internal
