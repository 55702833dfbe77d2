// What a checkpoint is, from its header: what `weightsmith info --json` prints, by the same names.
#pragma once

#include <weightsmith/tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weightsmith {

/// A component of a checkpoint.
struct ComponentInfo {
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;  ///< elements of floating dtype
  std::uint64_t bytes = 0;
  std::map<DType, std::uint64_t> dtypes;  ///< tensors of each
  bool complete = true;
  std::vector<std::string> missing;  ///< names that the architecture has and the file lacks
  std::vector<std::string> extra;    ///< names that the file has and the architecture lacks
};

/// That a model draws in a few steps, and what says so.
struct Distilled {
  std::string kind;  ///< "schnell", "lcm", "turbo", "lightning" …
  std::string by;    ///< a tensor, a key of the metadata
};

struct TensorEntry {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
  std::string component;
  std::string canonical;  ///< its name in a monolithic file of the architecture
  std::string role;       ///< "weight", "buffer", "ema" …
};

/// Of a LoRA or another adapter: modules by what they are, and what it was made for.
struct AdapterSummary {
  std::uint64_t modules = 0;
  std::map<std::string, std::uint64_t> families;
  std::map<std::string, std::uint64_t> namings;
  std::map<std::string, std::uint64_t> components;
  std::map<std::string, std::uint64_t> ranks;
  std::map<std::string, std::uint64_t> alphas;
  std::uint64_t dora = 0;
  std::vector<std::string> architectures;     ///< whose widths it has
  std::uint64_t modules_of_architecture = 0;  ///< that these have
};

struct CheckpointInfo {
  std::filesystem::path path;
  std::string format;  ///< "safetensors", "sharded", "torch-zip", "torch-legacy"
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;   ///< on disk, headers included
  std::string architecture;  ///< "sdxl", "flux1" …; "clip_l" of a part alone; "unknown"
  std::string variant;
  std::string scale;       ///< "full"; "tiny" of files for tests
  std::string layout;      ///< "ldm", "sgm", "comfy", "bfl", "diffusers", "component" …
  std::string prediction;  ///< "epsilon", "v", "flow", "unknown"
  std::optional<Distilled> distilled;
  std::map<std::string, ComponentInfo> components;
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;
  std::map<DType, std::uint64_t> dtypes;
  std::vector<std::string> markers;       ///< tensors that say how it predicts
  std::vector<std::string> quantization;  ///< schemes that were recognised
  std::vector<std::string> damage;        ///< what is known to be broken, a sentence each
  std::vector<std::string> code;          ///< what loading it with Python would call beside tensors
  std::map<std::string, std::string> metadata;
  std::optional<AdapterSummary> adapter;  ///< where it is no model
  std::vector<TensorEntry> entries;       ///< with InfoOptions::tensors
};

struct InfoOptions {
  bool tensors = false;  ///< list each tensor
  std::string key{};     ///< as of Checkpoint::Open
};

/// Throws as Checkpoint::Open.
[[nodiscard]] CheckpointInfo ReadInfo(const std::filesystem::path& path,
                                      const InfoOptions& options = {});

}  // namespace weightsmith
