// LoRA of linear layers and convolutions, with LoCon's core (mid) between its factors.

#include "core/adapters/adapter_family.h"

namespace weightsmith::adapter_families {
namespace {

std::uint64_t Rank(const AdapterShapes& shapes) {
  return AxisOf(shapes, AdapterRole::kDown, 0);
}

}  // namespace

const AdapterFamily& lora() {
  using enum AdapterRole;
  static const AdapterFamily family = {
      .id = "lora",
      .title = "LoRA",
      .source = "arXiv:2106.09685; kohya sd-scripts, PEFT",
      .precedence = 60,
      .known_by = {kDown, kUp, kMid},
      .forms = {{kDown, kUp}},
      .optional = {kMid, kUpBias, kSparseIndices, kSparseValues, kSparseSize, kReshapeWeight},
      .rank = Rank};
  return family;
}

}  // namespace weightsmith::adapter_families
