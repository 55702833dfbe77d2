// Block weights as people exchange them: a list of numbers whose places are blocks of an
// architecture in a fixed order. The lists are data of the architectures' declarations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weightsmith::internal {

enum class ComponentKind : std::uint8_t;
struct Block;

/// Tensors, and the number of a list that is theirs: those of a kind of component, of a component
/// by its name, of a family of blocks. What is left empty is any.
struct ListRow {
  std::optional<ComponentKind> kind = {};
  std::string_view component = {};
  std::string_view family = {};
  std::uint32_t first_block = 0;  ///< a block without a number counts as 0
  std::uint32_t blocks = 1;       ///< that take the number and those behind it; 0: all, one number
  std::optional<std::uint32_t> number = {};  ///< nothing: the list leaves them out
};

struct BlockList {
  std::vector<std::string> names;  ///< of its places in order: "BASE", "IN00"
  std::vector<ListRow> rows;       ///< the first that a tensor fits is the tensor's

  std::size_t length() const { return names.size(); }
  /// Null for tensors that the list does not speak of.
  const ListRow* RowOf(ComponentKind kind, std::string_view component, const Block& block) const;
  /// Index of the number that the row has for one of its blocks; nothing where it has none.
  static std::optional<std::size_t> PlaceIn(const ListRow& row, const Block& block);
};

}  // namespace weightsmith::internal
