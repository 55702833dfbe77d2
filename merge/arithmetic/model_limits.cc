#include "merge/arithmetic/model_limits.h"

#include "merge/arithmetic/mean.h"

namespace weightsmith::internal {

ModelLimits LimitsOf(Lowering& tape, std::span<const Value> models) {
  ModelLimits limits{models[0], models[0]};
  for (const Value model : models.subspan(1)) {
    limits.low = tape.Min(limits.low, model);
    limits.high = tape.Max(limits.high, model);
  }
  return limits;
}

ModelLimits NextToMean(Lowering& tape, std::span<const Value> models, const ModelLimits& outer) {
  const Value mean = MeanOf(tape, models);
  const Value one = tape.Constant(1);
  ModelLimits next = outer;
  for (const Value model : models) {
    const Value below = tape.KeepBelow(one, model, mean);
    const Value above = tape.KeepBelow(one, mean, model);
    next.high = tape.Min(next.high, tape.Choose(below, outer.high, model));
    next.low = tape.Max(next.low, tape.Choose(above, outer.low, model));
  }
  return next;
}

}  // namespace weightsmith::internal
