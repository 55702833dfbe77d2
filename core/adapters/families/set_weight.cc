// A weight in the place of the model's.

#include "core/adapters/adapter_family.h"

namespace weightsmith::adapter_families {
const AdapterFamily& set_weight() {
  using enum AdapterRole;
  static const AdapterFamily family = {.id = "set_weight",
                                       .title = "Replacement",
                                       .source = "ComfyUI",
                                       .precedence = 90,
                                       .known_by = {kSetWeight},
                                       .forms = {{kSetWeight}},
                                       .optional = {kReshapeWeight}};
  return family;
}

}  // namespace weightsmith::adapter_families
