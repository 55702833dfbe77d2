// What trainers and readers of adapters call the modules of a model: beginnings that stand for a
// component, and other paths of modules inside it. All that is known of them is these tables.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weightsmith::internal {

/// Beginnings that stand for a component, in front of a dotted path or a flattened one.
struct ModulePrefixes {
  std::vector<std::string> dotted;
  std::vector<std::string> flat;
};

ModulePrefixes PrefixesOfDiffusion();

/// Of a text encoder by its name. `number`: 1, 2, 3 in the architecture's order; `alone`: the model
/// has one encoder.
ModulePrefixes PrefixesOfText(const std::string& name, std::uint32_t number, bool alone);

/// Another path of a module.
struct OtherName {
  std::string path;
  /// Of a fused matrix it means this many of its parts, from the first; 0: all of it.
  std::uint32_t parts = 0;
  bool whole = false;  ///< no prefix goes in front of it
};

/// All other paths of a module that has this one, dotted and without a prefix.
std::vector<OtherName> OtherNamesOf(const std::string& path);

}  // namespace weightsmith::internal
