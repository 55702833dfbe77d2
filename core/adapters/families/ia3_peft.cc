// IA3 as PEFT saves it: a factor for each row or column.

#include "core/adapters/adapter_family.h"

namespace weightsmith::adapter_families {
const AdapterFamily& ia3_peft() {
  using enum AdapterRole;
  static const AdapterFamily family = {.id = "ia3_peft",
                                       .title = "IA3 (PEFT)",
                                       .source = "arXiv:2205.05638; PEFT",
                                       .precedence = 81,
                                       .known_by = {kIa3},
                                       .forms = {{kIa3}}};
  return family;
}

}  // namespace weightsmith::adapter_families
