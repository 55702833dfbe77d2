// Names of places for the declarations of lists.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weightsmith::internal {

/// "IN04" of "IN" and 4.
inline std::string ListName(const std::string& letters, std::uint32_t block) {
  return letters + (block < 10 ? "0" : "") + std::to_string(block);
}

/// Appends the names of the blocks from 0: "IN00", "IN01" ….
inline void AddListNames(std::vector<std::string>& names, const std::string& letters,
                         std::uint32_t blocks) {
  for (std::uint32_t i = 0; i < blocks; ++i) names.push_back(ListName(letters, i));
}

}  // namespace weightsmith::internal
