// What the tensors of an output are called, and which file has which: where each element of a
// canonical tensor goes. Private to merge/plan.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/model/output_layout.h"
#include "merge/plan/planned_tensors.h"

namespace weightsmith::internal {

/// Elements of an OutputTensor, and where they go.
struct NamedPiece {
  std::uint32_t tensor = 0;  ///< index in the output's tensors
  std::uint64_t first = 0;   ///< its element that is the first of the run
  GatherRun run;             ///< in the tensor of the file: offset in bytes from its first
  bool whole = false;        ///< all elements, as they lie
};

/// A tensor of a file, made of one tensor of the output or of several.
struct NamedTensor {
  std::string name;
  TensorInfo info;
  std::vector<NamedPiece> pieces;
};

struct NamedFile {
  std::filesystem::path path;
  std::vector<NamedTensor> tensors;
};

struct NamedOutput {
  std::vector<NamedFile> files;
  std::vector<FileSet::Text> texts;  ///< paths inside the output's folder
  std::vector<std::string> notes;    ///< what is left out, or not known, a sentence each
};

/// As the output's layout, split and shards say. `leading` is what the leftmost model is, null
/// where there is none: some components of it alone do not say their architecture. Throws kMismatch
/// where the tensors are of an architecture that has no such layout.
NamedOutput NameOutput(const OutputSpec& spec, const std::vector<OutputTensor>& tensors,
                       const std::optional<Metadata>& metadata, const Anatomy* leading);

}  // namespace weightsmith::internal
