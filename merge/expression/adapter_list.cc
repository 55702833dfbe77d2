#include "merge/expression/adapter_list.h"

#include <algorithm>

#include "merge/expression/places.h"

namespace weightsmith::internal {
namespace {

/// Whether a block, and not an embedding or a last layer, by the architecture's lists or, where it
/// has none, as in a UNet.
bool IsInBlock(const TensorPlace& place) {
  if (place.architecture != nullptr && !place.architecture->adapter_lists.empty()) {
    const BlockList& list = place.architecture->adapter_lists.front();
    return list.RowOf(place.kind, place.component, place.block) != nullptr;
  }
  const std::string_view family = place.block.family;
  return family == "in" || family == "mid" || family == "out";
}

}  // namespace

bool IsAdapterListLength(std::size_t length) {
  return std::ranges::any_of(Architectures(), [length](const Architecture* architecture) {
    return FindLength(architecture->adapter_lists, length) != nullptr;
  });
}

double AdapterListAt(const BlockList& list, std::span<const double> numbers,
                     const TensorPlace& place) {
  const ListRow* row = list.RowOf(place.kind, place.component, place.block);
  if (row == nullptr) return 1;
  const std::optional<std::size_t> found = BlockList::PlaceIn(*row, place.block);
  return found ? numbers[*found] : 0;
}

double AdapterPresetAt(std::span<const double> numbers, const TensorPlace& place) {
  if (place.kind == ComponentKind::kText) return numbers.front();
  if (place.kind != ComponentKind::kBackbone || !IsInBlock(place)) return 1;
  const std::span<const double> blocks = numbers.subspan(1);
  const auto at = static_cast<std::size_t>(place.depth * static_cast<double>(blocks.size()));
  return blocks[std::min(at, blocks.size() - 1)];
}

}  // namespace weightsmith::internal
