// Checkpoints that are written anew and not computed: taken apart, put together, converted. Outputs
// appear complete or not at all; inputs are not changed. All throw kInput for files that cannot be
// read, kUsage for outputs that exist or have a wrong name, kMismatch where files do not fit, and
// what a run throws (model.h).
#pragma once

#include <weightsmith/report.h>
#include <weightsmith/run.h>
#include <weightsmith/tensor.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace weightsmith {

/// Writes each component of a checkpoint to a file of its own in `folder`, which is made:
/// unet.safetensors, clip_l.safetensors, vae.safetensors …, in the form in which loaders take them.
/// `components`: only these, by the names of CheckpointInfo::components.
Report Split(const std::filesystem::path& path, const std::filesystem::path& folder,
             const std::vector<std::string>& components = {}, const RunOptions& run = {});

/// Puts components together into one checkpoint of the architecture `like` ("sdxl"): the reverse of
/// Split. `parts`: files by the names of components, "te1" … for text encoders by their number;
/// "other" and "ema" go in under their own names.
Report Assemble(const std::string& like, const std::map<std::string, std::filesystem::path>& parts,
                const std::filesystem::path& output, const RunOptions& run = {});

struct ConvertOptions {
  /// Of floating tensors: DType::kF16, or codes with scales beside them by their word
  /// ("f8_scaled").
  std::optional<std::variant<DType, std::string>> dtype{};
  std::string layout{};  ///< "ldm", "sgm", "comfy", "bfl"; "diffusers" writes a folder
  std::vector<std::string> components{};  ///< only these
  std::filesystem::path files_from{};     ///< whose configurations go with a folder
  bool prune = false;  ///< without EMA copies, training state and what belongs to no component
  bool fix = false;    ///< repair position_ids
  std::string key{};   ///< as of Checkpoint::Open
};

/// Writes a checkpoint as safetensors, in another dtype or layout.
Report Convert(const std::filesystem::path& path, const std::filesystem::path& output,
               const ConvertOptions& options = {}, const RunOptions& run = {});

}  // namespace weightsmith
