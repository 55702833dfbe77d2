#include "merge/plan/place_table.h"

#include "core/model/text_encoders.h"

namespace weightsmith::internal {
namespace {

/// What stands before all blocks, or behind them.
bool IsBefore(std::string_view family) {
  return family == "embed" || family == "time" || family == "label" || family == "encoder";
}

}  // namespace

void PlaceTable::Add(const ModelTensor& tensor) {
  const ComponentAnatomy& component = *tensor.component;
  if (component.kind == ComponentKind::kText && !text_encoders_.contains(component.name)) {
    text_encoders_.emplace(component.name, TextEncoderNumber(architecture_, component.name));
  }
  const Block block = BlockOf(tensor.component->kind, tensor.anatomy->local);
  if (!block.index && block.family != "mid") return;
  numbered_[tensor.component->name].try_emplace(Order(DepthOfFamily(block.family), block), 0);
}

void PlaceTable::NumberBlocks() {
  for (auto& [component, blocks] : numbered_) {
    std::size_t number = 0;
    for (auto& [order, place] : blocks) place = number++;
  }
}

TensorPlace PlaceTable::Of(const ModelTensor& tensor, std::string_view canonical) const {
  TensorPlace place{canonical, tensor.component->name, tensor.component->kind, 0};
  const auto encoder = text_encoders_.find(place.component);
  if (encoder != text_encoders_.end()) place.text_encoder = encoder->second;
  place.architecture = architecture_;
  place.merged_by_default = tensor.component->merged_by_default;
  place.block = BlockOf(place.kind, tensor.anatomy->local);
  const auto blocks = numbered_.find(place.component);
  if (blocks == numbered_.end()) return place;
  const auto found = blocks->second.find(Order(DepthOfFamily(place.block.family), place.block));
  if (found == blocks->second.end()) {
    place.depth = IsBefore(place.block.family) ? 0 : 1;
  } else if (blocks->second.size() > 1) {
    place.depth =
        static_cast<double>(found->second) / static_cast<double>(blocks->second.size() - 1);
  }
  return place;
}

}  // namespace weightsmith::internal
