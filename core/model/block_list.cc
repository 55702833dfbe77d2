#include "core/model/block_list.h"

#include <algorithm>

#include "core/model/blocks.h"

namespace weightsmith::internal {
namespace {

bool Fits(const ListRow& row, ComponentKind kind, std::string_view component, const Block& block) {
  if (row.kind && *row.kind != kind) return false;
  if (!row.component.empty() && row.component != component) return false;
  if (row.family.empty()) return true;
  const std::uint32_t index = block.index.value_or(0);
  const bool inside = index >= row.first_block && index - row.first_block < row.blocks;
  return row.family == block.family && (row.blocks == 0 || inside);
}

}  // namespace

const ListRow* BlockList::RowOf(ComponentKind kind, std::string_view component,
                                const Block& block) const {
  const auto row = std::ranges::find_if(
      rows, [&](const ListRow& candidate) { return Fits(candidate, kind, component, block); });
  return row == rows.end() ? nullptr : &*row;
}

std::optional<std::size_t> BlockList::PlaceIn(const ListRow& row, const Block& block) {
  if (!row.number) return std::nullopt;
  const bool counted = !row.family.empty() && row.blocks > 0;
  return *row.number + (counted ? block.index.value_or(0) - row.first_block : 0);
}

}  // namespace weightsmith::internal
