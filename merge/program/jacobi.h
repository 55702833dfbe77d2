// Rotates vectors until every two of them are orthogonal.
#pragma once

#include "merge/program/matrix.h"

namespace weightsmith::internal {

/// Multiplies `rows` from the left by an orthogonal matrix that makes them orthogonal to each
/// other, large ones mostly first: by Jacobi's method from one side (Hestenes, 1958), with blocks
/// of rows in place of single ones. Throws where that does not come to an end.
void OrthogonaliseRows(Matrix& rows, const Poll& poll);

/// Bytes that it takes, at most.
std::uint64_t OrthogonaliseBytes(std::size_t columns);

}  // namespace weightsmith::internal
