// A recipe as it was written: the value of a recipe file, checked for form, with every name,
// variable and include resolved. Knows no file contents.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor/encoding.h"
#include "merge/expression/expression.h"
#include "merge/plan/side_file.h"
#include "recipes/diagnostic.h"
#include "recipes/source/source_node.h"

namespace weightsmith::internal {

struct RecipeOptions;

/// A hash that a file must have, by the names that people exchange.
struct HashPin {
  std::string kind;    ///< "sha256", "autov1", "autov2", "autov3"
  std::string digits;  ///< lowercase

  bool operator==(const HashPin&) const = default;
};

struct FileReference {
  std::optional<std::filesystem::path> path{};  ///< nothing: looked up by its pins
  std::vector<HashPin> pins{};
  std::string key{};   ///< of a file of torch.save: under which its weights lie
  bool prune = false;  ///< without EMA copies, training state and what belongs to no component
  bool fix = false;    ///< position_ids are 0, 1, 2 … again
  SourcePlace place{};
};

struct RecipeModel {
  struct Part {
    std::optional<std::string> component{};  ///< as written; nothing: the whole file
    FileReference file;
  };
  std::string name;
  SourcePlace place{};
  std::vector<Part> parts{};
  /// The architecture that the parts make, each a whole component; empty: they are taken as they
  /// are.
  std::string like{};

  bool adapter = false;           ///< a file of adapters, and no model
  std::string peft_name{};        ///< of the adapter that is meant, where PEFT saved several
  std::string allow_unmatched{};  ///< regular expression of modules that may do nothing
};

struct RecipeNode {
  Node node;  ///< its model is an index in Recipe::models
  SourcePlace place;
  std::map<std::string, SourcePlace> rows{};  ///< places and other keys of its parameters
};

struct RecipeOutput {
  SourcePlace place{};   ///< of its path, where it has one
  bool declared = true;  ///< false: the recipe has none, and its only step is written
  NodeId root = 0;
  std::map<std::string, NodeId> components{};  ///< by the place as written: "vae", "te"
  std::optional<std::filesystem::path> path{};
  PlaceMap<std::optional<StoredAs>> dtype{};
  Rounding rounding{};
  OutputLayout layout = OutputLayout::kKeep;
  bool split = false;
  std::optional<std::uint64_t> max_shard_size{};
  std::optional<std::filesystem::path> files_from{};
  Metadata metadata{};         ///< under the keys that the file will have
  bool keep_metadata = false;  ///< the leftmost model's, and no record of the recipe
};

/// The text of a recipe that went into this one, as a model.
struct RecipeAncestor {
  std::string name;
  std::string text;
};

struct Recipe {
  /// Relative paths were taken from here.
  std::filesystem::path folder;
  std::shared_ptr<const SourceText> source;
  std::map<std::string, SourceNode> variables;  ///< those that are used, with their final values
  std::vector<RecipeModel> models;
  std::vector<RecipeNode> nodes;  ///< operands precede their users
  std::vector<RecipeOutput> outputs;
  Policies policies;
  std::map<std::string, SourcePlace> policy_rows;  ///< places in policies of the whole recipe
  std::vector<RecipeAncestor> ancestors;
  std::vector<SideFile> files_read;  ///< the text's own, and those of what it includes
};

/// Reads and checks a recipe file; "-" is standard input. Throws kInput when it, or a recipe or
/// table that it names, cannot be read; everything wrong in the text goes to `diagnostics`, and
/// nothing is returned then.
std::optional<Recipe> LoadRecipe(const std::filesystem::path& path, const RecipeOptions& options,
                                 Diagnostics& diagnostics);

/// The same from a text; relative paths start at `folder`.
std::optional<Recipe> ParseRecipe(const SourceText& source, const std::filesystem::path& folder,
                                  const RecipeOptions& options, Diagnostics& diagnostics);

/// The same recipe with only what its outputs use, in an order that does not depend on the order
/// of the file.
Recipe WithoutUnused(const Recipe& recipe);

}  // namespace weightsmith::internal
