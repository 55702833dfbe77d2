#include "merge/plan/output_dtypes.h"

#include <algorithm>
#include <string>

#include "merge/plan/planner_files.h"

namespace weightsmith::internal {

StoredAs OutputDTypes::Of(const PlannedTensor& tensor, const Want& want) const {
  const std::string canonical = want.NameIn(tensor.canonical);
  TensorPlace place = draft_->places.Of(*tensor.first, canonical);
  if (want.origin.layer) place.block.index = want.origin.layer;
  const ModelTensor& leading = draft_->index.TensorOf(want.origin.models.front(), tensor.key);
  return OutputStorage(draft_->SpecOf(want), place, leading);
}

bool OutputDTypes::KeepsScaled(std::uint32_t output, std::uint32_t model) {
  const auto [known, added] = keeps_scaled_.try_emplace(std::pair(output, model));
  if (!added) return known->second;
  const OutputSpec& spec = draft_->plan.outputs[output].spec;
  const ModelIndex& index = draft_->index.models()[model];
  return known->second = std::ranges::any_of(*tensors_, [&](const auto& item) {
           const auto& [key, tensor] = item;
           if (index.NotDecoded(key) != nullptr) return true;
           const ModelTensor* const own = index.Find(key);
           if (own == nullptr || !own->scales) return false;
           return OutputStorage(spec, draft_->places.Of(*own, tensor.canonical), *own) ==
                  StoredAs(own->stored->info.dtype);
         });
}

}  // namespace weightsmith::internal
