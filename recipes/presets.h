// Block weights by name: lines "NAME<TAB>numbers", as people exchange them.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weightsmith::internal {

/// By name: numbers in the order of a list (BASE first).
using Presets = std::map<std::string, std::vector<double>, std::less<>>;

/// The presets that come with the program; recipes/presets/community.tsv.
const Presets& ShippedPresets();

/// Of adapters' strengths; recipes/presets/adapters.tsv.
const Presets& ShippedAdapterPresets();

/// Reads a file of presets: NAME, a tab or a colon, and numbers with commas; the first line may be
/// a heading. Throws kInput, naming the line, for anything else (random letters included).
Presets ReadPresets(const std::filesystem::path& path);

}  // namespace weightsmith::internal
