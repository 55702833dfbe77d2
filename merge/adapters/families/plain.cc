// A tensor under the name of the model's own, in its place: biases and norms that were trained
// beside factors, layers that were trained whole.

#include "merge/adapters/adapter_family.h"

namespace weightsmith::internal::adapter_families {
namespace {

MatrixSize SizeOfPlain(const AdapterShapes& shapes) {
  return SizeAsMatrix(shapes.at(AdapterRole::kPlain));
}

}  // namespace

const AdapterFamily& plain() {
  using enum AdapterRole;
  static const AdapterFamily family = {.id = "plain",
                                       .title = "Tensor",
                                       .source = "PEFT (modules_to_save, bias), Black Forest Labs",
                                       .formula = "the tensor, whatever the strength",
                                       .precedence = 100,
                                       .known_by = {kPlain},
                                       .forms = {{kPlain}},
                                       .size = SizeOfPlain,
                                       .replaces = kPlain};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
