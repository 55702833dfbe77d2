// What a step or a module changed, as the public API has it.
#pragma once

#include <weightsmith/report.h>

#include <cmath>
#include <optional>

#include "merge/program/tape.h"

namespace weightsmith::internal {

inline weightsmith::Effect EffectResultOf(const Effect& effect) {
  const auto finite = [](double number) {
    return std::isfinite(number) ? std::optional(number) : std::nullopt;
  };
  weightsmith::Effect result{.elements = effect.elements,
                             .elements_changed = effect.changed,
                             .change_norm = finite(std::sqrt(effect.change_squares)),
                             .before_norm = finite(std::sqrt(effect.before_squares)),
                             .relative_change = {}};
  if (effect.before_squares > 0) {
    result.relative_change = finite(std::sqrt(effect.change_squares / effect.before_squares));
  }
  return result;
}

}  // namespace weightsmith::internal
