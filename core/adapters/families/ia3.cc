// IA3 as LyCORIS saves it: a factor for each row or column, minus one.

#include "core/adapters/adapter_family.h"

namespace weightsmith::adapter_families {
const AdapterFamily& ia3() {
  using enum AdapterRole;
  static const AdapterFamily family = {.id = "ia3",
                                       .title = "IA3",
                                       .source = "arXiv:2205.05638; LyCORIS",
                                       .precedence = 80,
                                       .known_by = {kOnInput},
                                       .forms = {{kWeight, kOnInput}}};
  return family;
}

}  // namespace weightsmith::adapter_families
