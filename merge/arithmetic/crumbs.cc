#include "merge/arithmetic/crumbs.h"

#include "merge/arithmetic/rescale.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/arithmetic/trim.h"

namespace weightsmith::internal {

ParameterSpec GammaParameter() {
  return {.name = "gamma",
          .default_value = 0.01,
          .by_place = true,
          .by_entry = true,
          .low = 0,
          .high = 1,
          .doc = "The share of largest elements that is left out."};
}

std::vector<Value> WithoutCrumbs(Lowering& tape, const Arguments& given) {
  std::vector<Value> kept = Differences(tape, given);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const double density = given.Entry("density", i);
    const Value whole = kept[i];
    kept[i] = Rescale(tape, given.parameters.Word("rescale"), density, whole,
                      TrimBothEnds(tape, whole, density, given.Entry("gamma", i)));
    tape.TellShare("kept", kept[i], Subject::Entry(i));
  }
  return kept;
}

}  // namespace weightsmith::internal
