// Tensors that are written anew and not computed: what split, assemble and convert come to.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/model/output_layout.h"
#include "merge/plan/plan.h"

namespace weightsmith::internal {

/// A checkpoint, or a view, and the file that it becomes.
struct Rewrite {
  std::string name;
  std::shared_ptr<const Checkpoint> checkpoint;
  std::filesystem::path path;
  PlaceMap<std::optional<DType>> dtype{};
};

/// Files that are written in one run.
struct RewriteJob {
  std::vector<Rewrite> files;
  bool make_folder = false;  ///< `folder` is made, but not those above it
  /// The folder of the files; of a pipeline, where also is what stands beside the weights, written
  /// when they are there.
  std::filesystem::path folder{};
  std::vector<FileSet::Text> texts{};
  std::optional<std::filesystem::path> texts_from{};  ///< a pipeline whose own are preferred
  std::vector<std::string> notes{};                   ///< what was repaired or left out
};

/// What a run of it would do; metadata goes with the tensors, as far as it is still true of them.
/// Texts are written last, in their order: with its index a folder is a pipeline.
Plan PlanOf(const RewriteJob& job);

}  // namespace weightsmith::internal
