// BOFT as PEFT saves it.

#include "core/adapters/adapter_family.h"

namespace weightsmith::adapter_families {
const AdapterFamily& boft_peft() {
  using enum AdapterRole;
  static const AdapterFamily family = {.id = "boft_peft",
                                       .title = "BOFT (PEFT)",
                                       .source = "PEFT",
                                       .precedence = 21,
                                       .known_by = {kButterfly, kButterflyScale},
                                       .forms = {{kButterfly, kButterflyScale}}};
  return family;
}

}  // namespace weightsmith::adapter_families
