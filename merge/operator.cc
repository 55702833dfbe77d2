#include "merge/operator.h"

#include <algorithm>

namespace weightsmith {

std::string_view ToString(Kind kind) {
  switch (kind) {
    case Kind::kWeight:
      return "weight";
    case Kind::kDelta:
      return "delta";
    case Kind::kSame:
      return "K";
  }
  return "";
}

std::string_view ToString(OperatorClass form) {
  switch (form) {
    case OperatorClass::kElementwise:
      return "elementwise";
  }
  return "";
}

ParameterSpec VaeParameter() {
  return {.name = "vae",
          .type = ParameterType::kBoolean,
          .optional = true,
          .low = 0,
          .high = 1,
          .doc = "Whether the VAE is computed as well; otherwise it is that of the leftmost model.",
          .for_vae = true};
}

const Operator* FindOperator(std::string_view name) {
  const auto all = Operators();
  const auto found = std::ranges::lower_bound(all, name, {}, &Operator::name);
  return found != all.end() && (*found)->name == name ? *found : nullptr;
}

}  // namespace weightsmith
