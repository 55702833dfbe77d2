// A weight in the place of the model's.

#include "merge/adapters/adapter_family.h"

namespace weightsmith::internal::adapter_families {
namespace {

MatrixSize SizeOfSetWeight(const AdapterShapes& shapes) {
  return SizeAsMatrix(shapes.at(AdapterRole::kSetWeight));
}

}  // namespace

const AdapterFamily& set_weight() {
  using enum AdapterRole;
  static const AdapterFamily family = {.id = "set_weight",
                                       .title = "Replacement",
                                       .source = "ComfyUI",
                                       .formula = "set_weight, whatever the strength",
                                       .precedence = 90,
                                       .known_by = {kSetWeight},
                                       .forms = {{kSetWeight}},
                                       .optional = {kReshapeWeight},
                                       .size = SizeOfSetWeight,
                                       .replaces = kSetWeight};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
