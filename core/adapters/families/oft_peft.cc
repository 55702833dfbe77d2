// OFT as PEFT saves it: the triangles of skew matrices that rotate the input.

#include "core/adapters/adapter_family.h"

namespace weightsmith::adapter_families {
const AdapterFamily& oft_peft() {
  using enum AdapterRole;
  static const AdapterFamily family = {.id = "oft_peft",
                                       .title = "OFT (PEFT)",
                                       .source = "PEFT, OneTrainer",
                                       .precedence = 20,
                                       .known_by = {kRotationPeft},
                                       .forms = {{kRotationPeft}}};
  return family;
}

}  // namespace weightsmith::adapter_families
