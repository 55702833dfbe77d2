// A page about the language, for the terminal. One file each in topics/, which defines
// `const Topic& name()`; adding a file there adds a page to `weightsmith help`.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weightsmith::internal {

struct Topic {
  std::string_view name;
  std::string_view summary{};  ///< one line, without a full stop
  /// As it is printed, at most 80 columns wide. Recipes in it stand by themselves: from a line
  /// "weightsmith: 1" to the next empty line, indented by two.
  std::string text{};
};

/// Every topic, sorted by name.
std::span<const Topic* const> Topics();

}  // namespace weightsmith::internal
