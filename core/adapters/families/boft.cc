// BOFT as LyCORIS saves it: stages of a butterfly of rotations.

#include "core/adapters/adapter_family.h"

namespace weightsmith::adapter_families {
namespace {

bool IsStages(const AdapterShapes& shapes) {
  return shapes.at(AdapterRole::kRotation).size() == 4;
}

}  // namespace

const AdapterFamily& boft() {
  using enum AdapterRole;
  static const AdapterFamily family = {.id = "boft",
                                       .title = "BOFT",
                                       .source = "arXiv:2311.06243; LyCORIS",
                                       .precedence = 11,
                                       .known_by = {kRotation},
                                       .forms = {{kRotation}},
                                       .optional = {kRescale},
                                       .accepts = IsStages};
  return family;
}

}  // namespace weightsmith::adapter_families
