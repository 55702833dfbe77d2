// Synthetic checkpoints of every declared architecture: true names, shapes and dtypes, random
// values. For tests, demonstrations and measurements.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/formats/safetensors/layout.h"
#include "core/io/output_file.h"

namespace weightsmith::internal {

enum class SynthLayout : std::uint8_t {
  kPublished,   ///< as the publisher's files are
  kMonolithic,  ///< all components in one file
  kBare,        ///< the diffusion model alone, without prefix
};

struct SynthOptions {
  std::string name;  ///< of an architecture's variant or of a part: "sd15", "flux1-dev", "vae"
  std::string scale = "full";  ///< or "tiny"
  std::uint64_t seed = 0;
  /// The values are those of this seed with small changes: a model and its fine-tune.
  std::optional<std::uint64_t> finetune_of{};
  SynthLayout layout = SynthLayout::kPublished;
  std::optional<DType> dtype{};  ///< of floating tensors; else that of published files
  bool sparse = false;           ///< a true header, and zeros that take no space on disk
};

/// Bytes done and bytes in all; from any thread, one at a time. Return false to stop
/// (kInterrupted).
using SynthProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

/// Every name that SynthOptions::name can have, sorted.
std::vector<std::string> SynthNames();

/// Where everything of the file goes. Throws kUsage for an unknown name, a dtype without a codec,
/// a layout that the name does not have.
HeaderLayout LayOutSynth(const SynthOptions& options);

/// Writes the file: the same bytes for the same options on any machine. Nothing is left behind
/// when it fails or is stopped.
void Synthesise(const SynthOptions& options, const std::filesystem::path& target,
                const OutputOptions& output = {}, const SynthProgress& progress = {});

}  // namespace weightsmith::internal
