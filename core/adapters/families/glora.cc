// GLoRA: a low-rank matrix, and another that multiplies the weight. Older files have their factors
// in the other order.

#include <algorithm>

#include "core/adapters/adapter_family.h"

namespace weightsmith::adapter_families {
namespace {

/// The older order has it first, the later one second; it is the smaller size in either.
std::uint64_t Rank(const AdapterShapes& shapes) {
  return std::min(AxisOf(shapes, AdapterRole::kGloraA1, 0),
                  AxisOf(shapes, AdapterRole::kGloraA1, 1));
}

}  // namespace

const AdapterFamily& glora() {
  using enum AdapterRole;
  static const AdapterFamily family = {.id = "glora",
                                       .title = "GLoRA",
                                       .source = "LyCORIS, arXiv:2306.07967",
                                       .precedence = 50,
                                       .known_by = {kGloraA1, kGloraA2, kGloraB1, kGloraB2},
                                       .forms = {{kGloraA1, kGloraA2, kGloraB1, kGloraB2}},
                                       .optional = {kGloraMid},
                                       .rank = Rank};
  return family;
}

}  // namespace weightsmith::adapter_families
