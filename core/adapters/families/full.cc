// The whole difference of a weight or a bias, as it is.

#include "core/adapters/adapter_family.h"

namespace weightsmith::adapter_families {
const AdapterFamily& full() {
  using enum AdapterRole;
  static const AdapterFamily family = {.id = "full",
                                       .title = "Difference",
                                       .source = "LyCORIS, ComfyUI",
                                       .precedence = 70,
                                       .known_by = {kDiff, kDiffBias},
                                       .forms = {{kDiff}, {kDiffBias}}};
  return family;
}

}  // namespace weightsmith::adapter_families
