// LoHa: the Hadamard product of two low-rank matrices, with Tucker cores for convolutions.

#include "core/adapters/adapter_family.h"

namespace weightsmith::adapter_families {
namespace {

std::uint64_t Rank(const AdapterShapes& shapes) {
  return AxisOf(shapes, AdapterRole::kHadaW1B, 0);
}

}  // namespace

const AdapterFamily& loha() {
  using enum AdapterRole;
  static const AdapterFamily family = {
      .id = "loha",
      .title = "LoHa",
      .source = "LyCORIS, FedPara arXiv:2108.06098",
      .precedence = 40,
      .known_by = {kHadaW1A, kHadaW1B, kHadaW2A, kHadaW2B, kHadaT1, kHadaT2},
      .forms = {{kHadaW1A, kHadaW1B, kHadaW2A, kHadaW2B}},
      .optional = {kHadaT1, kHadaT2},
      .rank = Rank};
  return family;
}

}  // namespace weightsmith::adapter_families
