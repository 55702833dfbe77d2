// What the metadata of inputs tells of earlier merges, in the form in which an output hands it on.
// Metadata of inputs is anybody's text: what does not have our form is passed over.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/formats/safetensors/header.h"

namespace weightsmith::internal {

/// Value of weightsmith.ancestors: {digest: {"recipe": …, "inputs": […]}}, the histories of the
/// inputs and of their ancestors once each, the youngest first. Beyond 256 KiB the oldest are left
/// out and "truncated": true says so. Empty where no input has a history.
std::string AncestorsText(std::span<const Metadata> inputs);

/// A file that went into a merge, as other programs name it.
struct MergedFile {
  std::string name;
  std::string sha256;
  std::string autov1;
  Metadata metadata;
};

/// Value of sd_merge_models: {sha256: {"name", "legacy_hash", "sd_merge_recipe"}}.
std::string SdMergeModelsText(std::span<const MergedFile> files);

}  // namespace weightsmith::internal
