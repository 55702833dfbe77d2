#include "merge/arithmetic/training.h"

namespace weightsmith::internal {

std::vector<OperandSpec> ModelAndTraining() {
  return {{.name = "a", .kind = Kind::kWeight, .doc = "The model that is changed."},
          {.name = "b", .kind = Kind::kWeight, .doc = "The model that was trained."},
          {.name = "c", .kind = Kind::kWeight, .doc = "What b was trained from."}};
}

}  // namespace weightsmith::internal
