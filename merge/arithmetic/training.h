// What the operators have in common that bring to a model what another one learned.
#pragma once

#include <vector>

#include "merge/operator.h"

namespace weightsmith::internal {

/// `a`, that is changed, `b`, that was trained, and `c`, what b was trained from.
inline std::vector<OperandSpec> ModelAndTraining() {
  return {{.name = "a", .kind = Kind::kWeight, .doc = "The model that is changed."},
          {.name = "b", .kind = Kind::kWeight, .doc = "The model that was trained."},
          {.name = "c", .kind = Kind::kWeight, .doc = "What b was trained from."}};
}

}  // namespace weightsmith::internal
