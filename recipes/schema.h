// JSON Schemas (2020-12) of what people write and of what jobs find, made from the declarations:
// for editors, which complete and check recipes by them, and for scripts.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weightsmith::internal {

struct NamedSchema {
  std::string_view name;   ///< "info", "plan", "recipe", "report" …
  std::string_view title;  ///< what it describes
  std::string (*body)();   ///< without "$schema"
};

/// Of recipes and of results, sorted by name.
std::span<const NamedSchema> Schemas();

/// As it is checked in under recipes/schema/.
std::string ToText(const NamedSchema& schema);

}  // namespace weightsmith::internal
