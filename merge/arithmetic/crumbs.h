// Differences of fine-tunes without their largest elements and without the small ones.
#pragma once

#include <vector>

#include "merge/operator.h"

namespace weightsmith::internal {

/// `gamma`: the share of the largest that is left out, by place and by entry.
ParameterSpec GammaParameter();

/// Of each model of the list less the base what is kept, rescaled. REQUIRES: the parameters
/// `density` and `gamma`, by entry, and `rescale`.
std::vector<Value> WithoutCrumbs(Lowering& tape, const Arguments& given);

}  // namespace weightsmith::internal
