// Recipes as people write them: YAML or JSON, from a file or a text.
#pragma once

#include <weightsmith/error.h>
#include <weightsmith/model.h>
#include <weightsmith/plan.h>
#include <weightsmith/report.h>
#include <weightsmith/run.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weightsmith {

namespace internal {
struct ReadRecipe;
}

/// What a caller says beside a recipe. The environment is not looked at.
struct RecipeOptions {
  std::map<std::string, Value> vars{};          ///< values of its variables
  std::map<std::string, std::string> policy{};  ///< over the recipe's own
  std::filesystem::path output{};  ///< written instead of the recipe's path; empty: that
  std::string output_step{};       ///< the model or step that is written instead
  std::string dtype{};             ///< of the output: "f16"
  std::string rounding{};          ///< "nearest", "stochastic"
  std::optional<std::uint64_t> max_shard_size{};  ///< bytes
  std::vector<std::filesystem::path>
      models{};                     ///< where models that are named by hash are looked for
  std::filesystem::path presets{};  ///< a file of block weights by name
  bool private_metadata = false;    ///< leave recipe and inputs out of the metadata
};

/// A recipe that was read and checked for form. A handle; any thread.
class Recipe {
 public:
  /// Reads a file. Throws RecipeError with all that is wrong in the text, kInput for a file that
  /// cannot be read.
  [[nodiscard]] static Recipe Load(const std::filesystem::path& path,
                                   const RecipeOptions& options = {});
  /// The same of a text. Relative paths start at `folder`; messages call it `name`.
  [[nodiscard]] static Recipe Parse(const std::string& text,
                                    const std::filesystem::path& folder = {},
                                    const RecipeOptions& options = {},
                                    const std::string& name = "recipe");

  explicit Recipe(std::shared_ptr<const internal::ReadRecipe> recipe)
      : recipe_(std::move(recipe)) {}

  /// What is doubtful in the text, with its places.
  [[nodiscard]] std::vector<Problem> warnings() const;
  /// The recipe with each variable, include, default and place resolved, as YAML.
  [[nodiscard]] std::string Show() const;
  /// What a run would do: from headers, nothing is written. Throws RecipeError where the files that
  /// it names cannot be used, kMismatch and kNoEffect where they do not fit.
  [[nodiscard]] weightsmith::Plan Plan(const RunOptions& options = {}) const;
  /// Computes and writes its outputs, each of which appears complete or not at all. Throws as Plan,
  /// and kUsage, kFailed, kResources as Model::Save.
  Report Run(const RunOptions& options = {}) const;

 private:
  std::shared_ptr<const internal::ReadRecipe> recipe_;
};

/// What is wrong and what is doubtful in a recipe; without errors it can be planned.
struct Validation {
  std::vector<Problem> errors;
  std::vector<Problem> warnings;

  [[nodiscard]] bool valid() const { return errors.empty(); }
};

/// Judges a recipe file without throwing what is wrong in it. With `files` the headers of its
/// models too: what does not fit is an error, at its place where it has one. Throws kInput for a
/// recipe that cannot be read.
[[nodiscard]] Validation Validate(const std::filesystem::path& path,
                                  const RecipeOptions& options = {}, bool files = true);

}  // namespace weightsmith
