// JSON Schemas (2020-12) of what people write and of what the program prints, made from the
// declarations: for editors, which complete and check recipes by them, and for scripts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weightsmith::internal {

struct SchemaEntry {
  std::string_view name;   ///< "info", "plan", "recipe", "report" …
  std::string_view title;  ///< what it describes
};
std::vector<SchemaEntry> Schemas();

/// The schema of that name, as it is checked in under recipes/schema/. Throws kUsage for another
/// name.
std::string SchemaText(std::string_view name);

}  // namespace weightsmith::internal
