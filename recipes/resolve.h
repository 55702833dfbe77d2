// From a recipe file to what merge/ runs: names, kinds, variables, hashes and places resolved.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/io/byte_source.h"
#include "merge/expression/expression.h"
#include "recipes/diagnostic.h"
#include "recipes/recipe.h"

namespace weightsmith::internal {

/// What a caller says beside the recipe.
struct RecipeOptions {
  std::map<std::string, std::string> variables;  ///< values in YAML, by name
  std::vector<std::pair<std::string, std::string>> policies;
  std::optional<std::string> output_step;  ///< written instead of the outputs
  std::optional<std::filesystem::path> output_path;
  std::optional<std::string> dtype;
  std::optional<std::string> rounding;
  std::optional<std::uint64_t> max_shard_size;
  std::vector<std::filesystem::path> model_folders;
  std::optional<std::filesystem::path> presets;  ///< block weights by name
  std::optional<IoBackend> io;
  /// Checkpoints that are open already, or in memory, by the path that the recipe names them by.
  std::map<std::filesystem::path, std::shared_ptr<const Checkpoint>> opened;
  /// Models that are differences, by the name that the recipe gives them: tensors in memory, of
  /// which only their owner knows that.
  std::set<std::string> differences;
  bool difference_as_output = false;  ///< a difference may be computed, to stay in memory
  bool check_output_names = true;     ///< that they promise what is written
  bool private_metadata = false;
  bool sha256 = false;  ///< of the inputs, for metadata
};

/// A recipe's meaning: MakePlan takes the two.
struct ResolvedRecipe {
  Expression expression;
  std::vector<OutputSpec> outputs;
};

/// Opens the models that are used and resolves everything by them. Problems of the text and of the
/// files that it names go to `diagnostics`, and nothing is returned then.
std::optional<ResolvedRecipe> Resolve(const Recipe& recipe, const RecipeOptions& options,
                                      Diagnostics& diagnostics);

}  // namespace weightsmith::internal
