// Opens the files that a recipe names: by path or by hash, checked against their pins.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/io/file_hashes.h"
#include "core/io/hash_cache.h"
#include "merge/expression/expression.h"
#include "recipes/recipe.h"
#include "recipes/resolve.h"

namespace weightsmith::internal {

class ModelOpener {
 public:
  explicit ModelOpener(const RecipeOptions& options) : options_(options) {}

  /// A file that is missing, malformed or not found by its hash, one with another hash than its
  /// pin, and a component that a file does not hold are errors at the file's place: then what is
  /// returned is not complete.
  Model Open(const RecipeModel& model, Diagnostics& diagnostics);

  /// Of a file that was opened here: where a pin or `sha256` asked for them.
  const FileHashes* HashesOf(const Checkpoint& checkpoint) const;

 private:
  /// Under canonical names, or as it is.
  enum class Names : bool { kCanonical, kOwn };

  std::filesystem::path Locate(const FileReference& file);
  std::optional<std::filesystem::path> Search(const std::vector<HashPin>& pins,
                                              std::size_t& looked);
  Model OpenAdapter(const RecipeModel& model);
  Model OpenAssembly(const RecipeModel& model);
  void OpenPart(const RecipeModel::Part& part, Model& model);
  std::shared_ptr<const Checkpoint> Read(const FileReference& file,
                                         const std::filesystem::path& path, Names names) const;
  std::shared_ptr<const Checkpoint> OpenFile(const FileReference& file,
                                             Names names = Names::kCanonical);
  const FileHashes& Hash(const Checkpoint& checkpoint);

  const RecipeOptions& options_;
  HashCache cache_;
  /// By path and what else says how a file is read.
  std::map<std::tuple<std::filesystem::path, std::string, Names, bool, bool>,
           std::shared_ptr<const Checkpoint>>
      open_;
  std::map<const Checkpoint*, FileHashes> hashes_;
};

/// The names of components in `models` that a word of a recipe ("te", "unet", "vae") stands for.
std::vector<std::string> ComponentsNamed(const std::string& word, std::span<const Model> models);
/// The components of `models`: "clip_l (te1), unet, vae".
std::string ComponentsInWords(std::span<const Model> models);

}  // namespace weightsmith::internal
