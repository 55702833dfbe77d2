#include "merge/expression/community_list.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "merge/expression/adapter_list.h"
#include "merge/expression/places.h"

namespace weightsmith::internal {
namespace {

std::vector<std::size_t> LengthsOf(std::span<const BlockList> lists) {
  std::vector<std::size_t> lengths;
  for (const BlockList& list : lists) lengths.push_back(list.length());
  return lengths;
}

std::span<const BlockList> ListsOf(const Architecture& architecture, bool adapter) {
  return adapter ? architecture.adapter_lists : architecture.merge_lists;
}

}  // namespace

const BlockList* FindLength(std::span<const BlockList> lists, std::size_t length) {
  const auto found = std::ranges::find(lists, length, &BlockList::length);
  return found == lists.end() ? nullptr : &*found;
}

bool IsListLength(std::size_t length) {
  return std::ranges::any_of(Architectures(), [length](const Architecture* architecture) {
    return FindLength(architecture->merge_lists, length) != nullptr;
  });
}

std::optional<std::size_t> ListPlaceOf(const TensorPlace& place, const BlockList& list) {
  const bool merged = place.canonical.find("weight") != std::string_view::npos ||
                      place.canonical.find("bias") != std::string_view::npos;
  if (!merged) return std::nullopt;
  const ListRow* row = list.RowOf(place.kind, place.component, place.block);
  return row == nullptr ? std::nullopt : BlockList::PlaceIn(*row, place.block);
}

const BlockList* CommunityList::ListOf(const Architecture* architecture) const {
  if (architecture == nullptr) return nullptr;
  return FindLength(ListsOf(*architecture, adapter), numbers.size());
}

std::vector<std::size_t> CommunityList::LengthsFor(const Architecture* architecture) const {
  if (architecture == nullptr) return {};
  return LengthsOf(ListsOf(*architecture, adapter));
}

std::optional<double> CommunityList::At(const TensorPlace& place) const {
  const BlockList* const list = ListOf(place.architecture);
  if (adapter && list != nullptr) return AdapterListAt(*list, numbers, place);
  if (adapter) return resample ? std::optional(AdapterPresetAt(numbers, place)) : std::nullopt;
  if (list != nullptr) {
    const std::optional<std::size_t> found = ListPlaceOf(place, *list);
    if (!found) return std::nullopt;
    return numbers[*found];
  }
  if (!resample) return std::nullopt;
  if (place.kind == ComponentKind::kText) return numbers.front();
  if (place.kind == ComponentKind::kVae) return std::nullopt;
  return Interpolate(std::span(numbers).subspan(1), place.depth);
}

std::optional<TensorPlace> AsSuperMerger(TensorPlace place) {
  if (place.architecture == nullptr || place.architecture->merge_lists.empty()) return place;
  const BlockList& list = place.architecture->merge_lists.front();
  const auto found = ListPlaceOf(place, list);
  if (!found) return std::nullopt;
  const std::string& name = list.names[*found];
  if (name == "BASE") {
    place.kind = ComponentKind::kText;
    place.block = {};
  } else if (name == "IN" || name == "IN00") {
    place.block = {"in", 0};
  } else if (name == "OUT" || place.block.family == "final") {
    place.block = {"out", static_cast<std::uint32_t>((list.length() - 2) / 2 - 1)};
  }
  return place;
}

double Interpolate(std::span<const double> knots, double at) {
  if (knots.size() == 1) return knots.front();
  const double scaled = std::clamp(at, 0.0, 1.0) * static_cast<double>(knots.size() - 1);
  const auto left = std::min(static_cast<std::size_t>(scaled), knots.size() - 2);
  const double share = scaled - static_cast<double>(left);
  if (share == 0) return knots[left];
  return (1 - share) * knots[left] + share * knots[left + 1];
}

}  // namespace weightsmith::internal
