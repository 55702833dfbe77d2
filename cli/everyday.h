// The merge of a few models without a recipe file: the recipe that says the same.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weightsmith {

struct EverydayMerge {
  std::vector<std::filesystem::path> models;  ///< two or more
  std::optional<std::string> op;              ///< weighted_sum of two, add_difference of three
  std::optional<std::string> alpha;           ///< as a recipe writes it
  std::vector<std::pair<std::string, std::string>> parameters;
  std::optional<std::filesystem::path> vae;
  std::optional<std::filesystem::path> output;  ///< a file, or a folder for a file of DefaultName
  std::optional<std::string> dtype;
  std::vector<std::pair<std::string, std::string>> policies;
};

/// The recipe, YAML. Throws kUsage for an unknown operator, or one that takes another number of
/// models.
std::string RecipeText(const EverydayMerge& merge);

/// "0.70(photo)+0.30(anime).safetensors", "photo+1.00(anime-base).safetensors",
/// "multiply(photo,anime).safetensors".
std::string DefaultName(const EverydayMerge& merge);

/// Where the result goes.
std::filesystem::path OutputPath(const EverydayMerge& merge);

}  // namespace weightsmith
