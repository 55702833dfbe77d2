// LoKr: the Kronecker product of two matrices, each whole or in two factors.

#include "core/adapters/adapter_family.h"

namespace weightsmith::adapter_families {
namespace {

/// Of the factors; 1 where both matrices are whole: alpha does not scale those.
std::uint64_t Rank(const AdapterShapes& shapes) {
  for (const AdapterRole role : {AdapterRole::kLokrW2B, AdapterRole::kLokrW1B}) {
    if (shapes.contains(role)) return AxisOf(shapes, role, 0);
  }
  return 1;
}

}  // namespace

const AdapterFamily& lokr() {
  using enum AdapterRole;
  static const AdapterFamily family = {
      .id = "lokr",
      .title = "LoKr",
      .source = "LyCORIS, arXiv:2309.14859",
      .precedence = 30,
      .known_by = {kLokrW1, kLokrW1A, kLokrW1B, kLokrW2, kLokrW2A, kLokrW2B, kLokrT2},
      .forms = {{kLokrW1, kLokrW2},
                {kLokrW1, kLokrW2A, kLokrW2B},
                {kLokrW1A, kLokrW1B, kLokrW2},
                {kLokrW1A, kLokrW1B, kLokrW2A, kLokrW2B}},
      .optional = {kLokrT2},
      .rank = Rank};
  return family;
}

}  // namespace weightsmith::adapter_families
