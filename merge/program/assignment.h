// Who goes with whom, so that all together like it best.
#pragma once

#include <cstddef>
#include <vector>

#include "merge/program/matrix.h"

namespace weightsmith::internal {

/// For each row of a square matrix the column that it gets, each column once, so that the sum of
/// the elements is the largest: by shortest augmenting paths (Jonker and Volgenant, 1987). Of equal
/// sums the one that is found first, whatever the machine. Takes a time of the cube of the size at
/// worst, and of its square where the best columns of rows differ. REQUIRES: finite.
std::vector<std::size_t> BestAssignment(const Matrix& gain, const Poll& poll);

}  // namespace weightsmith::internal
