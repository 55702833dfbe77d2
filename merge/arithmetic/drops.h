// What DARE and DELLA do to a difference: elements of it are dropped by chance, and what is left is
// scaled, so that the difference is on the whole as large as it was.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "merge/operator.h"

namespace weightsmith::internal {

/// Keeps each element of the difference of a list's entry with the probability `density`. `op` is
/// the operator's name, which the random numbers are those of. REQUIRES: the parameters
/// `density`, by entry, `rescale` and `seed`.
Value DropAtRandom(Lowering& tape, const Arguments& given, std::string_view op, std::size_t entry,
                   Value delta);

/// `epsilon` and `ranks`, of those who drop small elements rather than large ones.
ParameterSpec EpsilonOfDensity();
ParameterSpec RanksParameter();

/// Likewise with a probability that grows with the rank of an element's magnitude, from density -
/// epsilon to density + epsilon; at density 1 all is kept. REQUIRES: those, and
/// these two.
Value DropByRank(Lowering& tape, const Arguments& given, std::string_view op, std::size_t entry,
                 Value delta);

/// What is wrong with the numbers of an entry in a tensor: probabilities outside 0..1.
std::string CheckChances(const Arguments& given);

}  // namespace weightsmith::internal
