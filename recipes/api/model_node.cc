#include "recipes/api/model_node.h"

#include <algorithm>
#include <utility>

namespace weightsmith::internal {

PlannedSource::PlannedSource(PreparedPlan made)
    : prepared(std::move(made)), names(prepared.Names()) {
  std::ranges::sort(names);
}

}  // namespace weightsmith::internal
