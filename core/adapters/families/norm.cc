// The differences of a normalisation's weight and bias.

#include "core/adapters/adapter_family.h"

namespace weightsmith::adapter_families {
const AdapterFamily& norm() {
  using enum AdapterRole;
  static const AdapterFamily family = {.id = "norm",
                                       .title = "Difference of a norm",
                                       .source = "LyCORIS",
                                       .precedence = 75,
                                       .known_by = {kNormDiff, kNormDiffBias},
                                       .forms = {{kNormDiff}, {kNormDiffBias}}};
  return family;
}

}  // namespace weightsmith::adapter_families
