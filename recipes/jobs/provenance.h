// What the metadata of a file that weightsmith wrote says about how it was made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/formats/safetensors/header.h"

namespace weightsmith::internal {

/// An input as the metadata of an output names it.
struct RecordedInput {
  std::string model;
  std::string component;  ///< of a model that is put together of several files; else empty
  std::string file;       ///< base name
  std::uint64_t size = 0;
  /// Of the tensors that were read; nothing after a run without digests.
  std::optional<std::string> digest;
  std::optional<std::string> sha256;  ///< of the file, where the run hashed it

  /// "a", or "a.unet" of a part.
  std::string Name() const { return component.empty() ? model : model + "." + component; }
};

struct Provenance {
  std::optional<std::string> recipe;  ///< text; with it the inputs
  std::vector<RecordedInput> inputs;
  std::optional<std::string> output_digest;  ///< of the file's own tensors
};

/// Throws kInput where the inputs are recorded and cannot be read.
Provenance ReadProvenance(const std::optional<Metadata>& metadata);

}  // namespace weightsmith::internal
