#include <cmath>

#include "recipes/jobs/effect_json-inl.h"

namespace weightsmith::internal {

std::optional<double> ChangeNorm(const Effect& effect) {
  return IfFinite(std::sqrt(effect.change_squares));
}

std::optional<double> RelativeChange(const Effect& effect) {
  if (!(effect.before_squares > 0)) return std::nullopt;
  return IfFinite(std::sqrt(effect.change_squares / effect.before_squares));
}

template <>
const Record<Effect>& RecordOf() {
  static const Record<Effect> record = {
      "Effect",
      "What a step changed. A norm that is not finite is null.",
      {{"elements", &Effect::elements, "Elements that were computed."},
       {"elements_changed", &Effect::changed, "Those that differ from the step's first operand."},
       {"change_norm", ChangeNorm, "Norm of the change."},
       {"before_norm",
        [](const Effect& effect) { return IfFinite(std::sqrt(effect.before_squares)); },
        "Norm of the first operand."},
       {"relative_change", RelativeChange,
        "change_norm as a share of before_norm; null where that is 0."}}};
  return record;
}

}  // namespace weightsmith::internal
