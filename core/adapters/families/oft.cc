// OFT as kohya and LyCORIS save it: blocks of a rotation of the output; alpha constrains it.

#include "core/adapters/adapter_family.h"

namespace weightsmith::adapter_families {
namespace {

bool IsBlocks(const AdapterShapes& shapes) {
  return shapes.at(AdapterRole::kRotation).size() == 3;
}

}  // namespace

const AdapterFamily& oft() {
  using enum AdapterRole;
  static const AdapterFamily family = {.id = "oft",
                                       .title = "OFT",
                                       .source = "arXiv:2306.07280; kohya sd-scripts, LyCORIS",
                                       .precedence = 10,
                                       .known_by = {kRotation},
                                       .forms = {{kRotation}},
                                       .optional = {kRescale},
                                       .accepts = IsBlocks};
  return family;
}

}  // namespace weightsmith::adapter_families
