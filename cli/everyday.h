// The merge of a few models without a recipe file: the recipe that says the same.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "recipes/recipe.h"

namespace weightsmith::internal {

/// An adapter on the command line: FILE[:STRENGTH[:TE_STRENGTH]].
struct LoraArgument {
  std::filesystem::path path;
  double strength = 1;
  double text_strength = 1;
};

/// Numbers are taken from the right, so that a path may have colons.
LoraArgument ParseLora(std::string_view words);

struct EverydayMerge {
  std::vector<std::filesystem::path> models;  ///< two or more; one or more to bake into
  bool has_base = false;             ///< one of them was named as the base, and stands at its place
  std::optional<std::string> op;     ///< weighted_sum of two, add_difference of three
  std::optional<std::string> alpha;  ///< as a recipe writes it
  std::vector<std::pair<std::string, std::string>> parameters;
  std::set<std::string, std::less<>> own_flags;  ///< parameters that were flags by themselves
  std::optional<std::filesystem::path> vae;
  std::optional<std::string> key;  ///< of files of torch.save: under which their weights lie
  std::optional<std::filesystem::path> output;  ///< a file, or a folder for a file of DefaultName
  std::optional<std::string> dtype;
  std::vector<std::pair<std::string, std::string>> policies;
  std::vector<LoraArgument> loras;
  std::optional<std::string> lora_blocks;      ///< of all of them, as a recipe writes it
  std::optional<std::string> allow_unmatched;  ///< in all of them
  bool bake_each = false;                      ///< every model for itself, and not their merge
};

/// The recipe, YAML. Throws kUsage for an unknown operator, or one that takes another number of
/// models.
std::string RecipeText(const EverydayMerge& merge);

/// Puts the paths of the merge in the place of those that the recipe of its text has: not all can
/// be written in a recipe.
void SetPaths(const EverydayMerge& merge, Recipe& recipe);

/// "0.70(photo)+0.30(anime).safetensors", "photo+1.00(anime-base).safetensors",
/// "multiply(photo,anime).safetensors".
std::string DefaultName(const EverydayMerge& merge);

/// Where the result goes; REQUIRES: there is one.
std::filesystem::path OutputPath(const EverydayMerge& merge);

}  // namespace weightsmith::internal
