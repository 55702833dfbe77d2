// Orthogonal matrices: the one that turns rows nearest to others, and parts of a turn.
#pragma once

#include "merge/program/matrix.h"

namespace weightsmith::internal {

/// The orthogonal T that makes a·T nearest to b. Directions of which a·T says nothing, because one
/// of the two has nothing there, are turned as little as others allow. `proper`: T is a rotation,
/// and no reflection. REQUIRES: a and b of one size, as many rows as columns or more.
Matrix NearestTurn(const Matrix& a, const Matrix& b, bool proper, const Poll& poll);

/// The orthogonal matrix that is nearest to a square one, in the same way.
Matrix NearestOrthogonal(const Matrix& a, bool proper, const Poll& poll);

/// The share `t` of the turn, on the shortest way. Where a plane turns by half a circle the way is
/// not known: the real part of the power is taken, which shrinks.
Matrix PartOfTurn(const Matrix& turn, double t, const Poll& poll);

/// a with its rows turned towards those of b by the share `t`, and b with its rows turned back
/// towards a, where there are fewer rows than columns: in the directions that each has, and no
/// others. Between, directions are interpolated and made orthogonal again.
class WideTurn {
 public:
  WideTurn(const Matrix& a, const Matrix& b, const Poll& poll);

  Matrix Turn(const Matrix& a, double t, const Poll& poll) const;
  Matrix TurnBack(const Matrix& b, const Poll& poll) const;

 private:
  Matrix from_;  ///< orthogonal rows, directions of a
  Matrix to_;    ///< where each is turned
};

/// Bytes that these take beside their arguments, at most, with what they give.
std::uint64_t NearestOrthogonalBytes(std::uint64_t size);
std::uint64_t PartOfTurnBytes(std::uint64_t size);
/// Likewise a WideTurn between matrices of such a size; `part`: by a share between 0 and 1.
std::uint64_t WideTurnBytes(MatrixSize size, bool part);
/// What each thread takes beside those in a part that it computes.
std::uint64_t TurnBytesOfPart(MatrixSize size);

}  // namespace weightsmith::internal
