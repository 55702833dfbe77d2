// What a file that weightsmith wrote tells about how it was made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/safetensors/header.h"

namespace weightsmith {

/// An input as the metadata of an output names it.
struct RecordedInput {
  std::string model;
  std::string component;  ///< of a model that is put together of several files; else empty
  std::string file;       ///< base name
  std::uint64_t size = 0;
  std::string digest;  ///< of the tensors that were read, 32 digits
};

struct Provenance {
  std::string recipe;  ///< text
  std::vector<RecordedInput> inputs;
  std::optional<std::string> output_digest;  ///< of the file's own tensors
};

/// Nothing where the metadata has no recipe. Throws kInput where it is there and cannot be read.
std::optional<Provenance> ReadProvenance(const std::optional<Metadata>& metadata);

}  // namespace weightsmith
