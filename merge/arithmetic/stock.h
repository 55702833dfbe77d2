// How far fine-tunes agree, as Model Stock measures it.
#pragma once

#include <span>

#include "merge/arithmetic/cells.h"

namespace weightsmith::internal {

/// The mean cosine of all pairs of differences; 0 of a pair in which one is zero.
Scalar MeanCosine(Lowering& tape, const Cells& cells, std::span<const Value> deltas);

/// The share of the models' mean beside their base, of `count` models of that mean cosine: one
/// below 0 counts as 0.
Scalar StockRatio(Lowering& tape, Scalar mean_cosine, std::size_t count);

}  // namespace weightsmith::internal
