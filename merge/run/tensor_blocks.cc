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
  const Architecture* const architecture = index.anatomy().architecture;
  PlaceTable table(architecture);
  for (const auto& [key, tensor] : index.tensors()) table.Add(tensor);
  const BlockList* const list = architecture == nullptr || architecture->merge_lists.empty()
                                    ? nullptr
                                    : &architecture->merge_lists.front();
  std::multimap<decltype(Depth({}, 0)), TensorBlock> by_depth;
  for (const auto& [key, tensor] : index.tensors()) {
    if (tensor.anatomy->role != Role::kWeight) continue;
    const TensorPlace place = table.Of(tensor, tensor.anatomy->canonical);
    TensorBlock own{tensor.stored->name, BlockName(place), ""};
    if (list != nullptr) {
      if (const auto found = ListPlaceOf(place, *list)) own.place = list->names[*found];
    }
    by_depth.emplace(Depth(place, tensor.anatomy->component), std::move(own));
  }
  std::vector<TensorBlock> blocks;
  for (auto& [depth, block] : by_depth) blocks.push_back(std::move(block));
  return blocks;
}

}  // namespace weightsmith::internal
