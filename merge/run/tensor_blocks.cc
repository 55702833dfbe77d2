#include "merge/run/tensor_blocks.h"

#include <fmt/format.h>

#include <map>
#include <tuple>
#include <utility>

#include "core/model/blocks.h"
#include "merge/plan/place_table.h"

namespace weightsmith::internal {
namespace {

std::string BlockName(const TensorPlace& place) {
  std::string name(place.component);
  if (!place.block.family.empty()) name += fmt::format(".{}", place.block.family);
  if (place.block.index) name += fmt::format(".{}", *place.block.index);
  return name;
}

auto Depth(const TensorPlace& place, std::uint32_t component) {
  return std::tuple(component, DepthOfFamily(place.block.family), place.block);
}

}  // namespace

std::vector<TensorBlock> BlocksOfTensors(const Model& model) {
  const ModelIndex index(model);
  const std::string_view architecture = index.anatomy().id;
  PlaceTable table(index.anatomy().architecture);
  for (const auto& [key, tensor] : index.tensors()) table.Add(tensor);
  const std::vector<std::size_t> lengths = ListLengths(architecture);
  std::multimap<decltype(Depth({}, 0)), TensorBlock> by_depth;
  for (const auto& [key, tensor] : index.tensors()) {
    if (tensor.anatomy->role != Role::kWeight) continue;
    const TensorPlace place = table.Of(tensor, tensor.anatomy->canonical);
    TensorBlock own{tensor.stored->name, BlockName(place), ""};
    if (!lengths.empty()) {
      const auto found = ListPlaceOf(place, lengths.front());
      if (found) own.place = ListPlaceName(architecture, lengths.front(), *found);
    }
    by_depth.emplace(Depth(place, tensor.anatomy->component), std::move(own));
  }
  std::vector<TensorBlock> blocks;
  for (auto& [depth, block] : by_depth) blocks.push_back(std::move(block));
  return blocks;
}

}  // namespace weightsmith::internal
