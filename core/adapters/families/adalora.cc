// AdaLoRA: LoRA with singular values between its factors.

#include "core/adapters/adapter_family.h"

namespace weightsmith::adapter_families {
namespace {

std::uint64_t Rank(const AdapterShapes& shapes) {
  return AxisOf(shapes, AdapterRole::kDown, 0);
}

}  // namespace

const AdapterFamily& adalora() {
  using enum AdapterRole;
  static const AdapterFamily family = {.id = "adalora",
                                       .title = "AdaLoRA",
                                       .source = "arXiv:2303.10512; PEFT",
                                       .precedence = 55,
                                       .known_by = {kSingularValues},
                                       .forms = {{kDown, kUp, kSingularValues}},
                                       .optional = {kRankNumber},
                                       .rank = Rank};
  return family;
}

}  // namespace weightsmith::adapter_families
