// The singular values of a matrix of two diagonals.
#pragma once

#include "merge/program/reflections.h"

namespace weightsmith::internal {

/// Makes the diagonal the singular values, in no order, and the rows on the right theirs: by steps
/// with a shift (Golub and Reinsch, 1970). Throws where that does not come to an end.
void Diagonalise(Bidiagonal& parts, const Poll& poll);

}  // namespace weightsmith::internal
