// A checkpoint written anew: as safetensors, in another dtype or layout, pruned, repaired.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/model/output_layout.h"
#include "core/tensor/encoding.h"
#include "recipes/jobs/rewrite.h"

namespace weightsmith::internal {

struct ConvertRequest {
  std::filesystem::path path;
  std::string key{};             ///< of a file of torch.save: under which its weights lie
  std::filesystem::path output;  ///< a file, or a folder where the layout is of several
  std::optional<StoredAs> dtype{};
  OutputLayout layout = OutputLayout::kKeep;
  std::vector<std::string> components{};  ///< only these; empty: all
  std::optional<std::filesystem::path> files_from{};
  bool prune = false;  ///< without EMA copies, training state and what belongs to no component
  bool fix = false;    ///< position_ids are 0, 1, 2 … again
};

/// The layout that a word names, "ldm"; throws kUsage for none.
OutputLayout LayoutNamed(const std::string& word);

/// What a word names that tensors are stored as, "f16" or "f8_scaled"; throws kUsage for none.
StoredAs StorageNamed(const std::string& word);

/// Throws kMismatch for components or a layout that the file does not have or take.
RewriteJob ConvertJob(const ConvertRequest& request);

}  // namespace weightsmith::internal
