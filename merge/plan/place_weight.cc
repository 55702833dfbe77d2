#include "merge/plan/place_weight.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <vector>

#include "core/model/architecture.h"
#include "merge/expression/community_list.h"

namespace weightsmith::internal {
namespace {

/// "clip_l", "unet time", "IN04": what a message calls the place of a tensor.
std::string BlockName(const TensorPlace& place) {
  if (place.kind != ComponentKind::kBackbone || place.block.family.empty()) {
    return std::string(place.component);
  }
  const std::string_view letters = CommunityLetters(place.block.family);
  const std::uint32_t index = place.block.index.value_or(0);
  if (!letters.empty()) return fmt::format("{}{:02}", letters, index);
  return place.block.index ? fmt::format("{}.{}.{}", place.component, place.block.family, index)
                           : fmt::format("{}.{}", place.component, place.block.family);
}

/// "sdxl takes 20, 21 or 26".
std::string LengthsInWords(const CommunityList& list, const Architecture* architecture) {
  const std::string_view id = architecture == nullptr ? "unknown" : architecture->id;
  const std::vector<std::size_t> lengths = list.LengthsFor(architecture);
  if (lengths.empty()) return fmt::format("{} has no known order of blocks", id);
  return fmt::format("{} takes {}", id, fmt::join(lengths, ", "));
}

}  // namespace

std::optional<double> WeightAt(const TensorPlace& place, const Node& step, const Weights& weights,
                               std::string_view name, const std::string& canonical,
                               Problems& problems) {
  if (weights.list() && weights.list()->ListOf(place.architecture) == nullptr &&
      !weights.list()->resample) {
    problems.Add(fmt::format("step '{}': {} is a list of {} numbers, and {}", step.name, name,
                             weights.list()->numbers.size(),
                             LengthsInWords(*weights.list(), place.architecture)),
                 canonical,
                 "Write a curve ({curve: […]}), which fits every depth, or rows of blocks.");
    return std::nullopt;
  }
  if (weights.list() && !weights.list()->adapter && step.policies.blocks == BlocksPolicy::kClean) {
    problems.Add(
        fmt::format("step '{}': {} is a list, which follows SuperMerger's map of keys, "
                    "and `policy: {{blocks: clean}}` does not",
                    step.name, name));
    return std::nullopt;
  }
  TensorPlace looked_up = place;
  if (!weights.rows().empty() && step.policies.blocks == BlocksPolicy::kSuperMerger) {
    const auto folded = AsSuperMerger(place);
    if (!folded) return 0;
    looked_up = *folded;
  }
  std::optional<PlaceConflict> conflict;
  const std::optional<double> weight = weights.Find(looked_up, &conflict);
  if (conflict) {
    problems.Add(fmt::format("step '{}': {}: rows '{}' and '{}' give different numbers to",
                             step.name, name, conflict->first, conflict->second),
                 canonical);
  }
  if (!weight) {
    problems.AddBlock(fmt::format("step '{}': no row of '{}' matches", step.name, name),
                      BlockName(place), "Add a row for all other places, such as default: 0.");
  }
  return weight;
}

}  // namespace weightsmith::internal
