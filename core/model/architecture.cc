#include "core/model/architecture.h"

namespace weightsmith::internal {

std::string_view ToString(Role role) {
  switch (role) {
    case Role::kWeight:
      return "weight";
    case Role::kPositionIds:
      return "position_ids";
    case Role::kMarker:
      return "marker";
    case Role::kBuffer:
      return "buffer";
    case Role::kEma:
      return "ema";
    case Role::kTokenizer:
      return "tokenizer";
    case Role::kQuantization:
      return "quantization";
  }
  return "weight";
}

std::string_view ToString(Prediction prediction) {
  switch (prediction) {
    case Prediction::kUnknown:
      return "unknown";
    case Prediction::kEpsilon:
      return "epsilon";
    case Prediction::kV:
      return "v";
    case Prediction::kFlow:
      return "flow";
  }
  return "unknown";
}

std::string_view ToString(Scale scale) {
  return scale == Scale::kFull ? "full" : "tiny";
}

}  // namespace weightsmith::internal
