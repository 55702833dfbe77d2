// Names as steps between dots, for the declarations of namings.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weightsmith::internal {

struct Renamed {
  std::string_view from;
  std::string_view to;
};

/// Takes "stem.N." off the front of `name` and gives N.
inline std::optional<std::uint64_t> TakeBlock(std::string_view& name, std::string_view stem) {
  std::string_view rest = name;
  if (!rest.starts_with(stem) || !rest.substr(stem.size()).starts_with('.')) return std::nullopt;
  rest.remove_prefix(stem.size() + 1);
  std::uint64_t index = 0;
  const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), index);
  if (error != std::errc()) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
  if (!rest.starts_with('.')) return std::nullopt;
  name = rest.substr(1);
  return index;
}

/// The name with the beginning of the first row that fits replaced; nothing where none fits. A
/// beginning is whole steps.
inline std::optional<std::string> RenameBeginning(std::string_view name,
                                                  std::span<const Renamed> table) {
  for (const auto& [from, to] : table) {
    if (!name.starts_with(from)) continue;
    const std::string_view rest = name.substr(from.size());
    if (rest.empty() || rest.front() == '.') return std::string(to).append(rest);
  }
  return std::nullopt;
}

}  // namespace weightsmith::internal
