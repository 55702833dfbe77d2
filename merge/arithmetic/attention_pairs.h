// Pairs of the weights of an attention block that may be turned alike, head by head.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "merge/arithmetic/block_members.h"

namespace weightsmith::internal {

/// Slices with their pairs: queries with keys, and values with what comes out. Of a pair the wider
/// side counts less, by its width; biases are a column of their side, also of what comes out, where
/// they are 0.
std::vector<UnitSlice> PairedSlices(std::span<const PresentMember> members);

/// Whether heads of a pair have one size, and may be turned: positions turn queries and keys of
/// language models too. `own` is the member whose tensor is computed.
bool MayTurn(std::span<const PresentMember> members, std::span<const UnitSlice> slices,
             std::size_t heads, std::size_t own);

}  // namespace weightsmith::internal
