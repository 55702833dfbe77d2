// Operators by what people want of them: `ops --like "style transfer"`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "merge/operator.h"

namespace weightsmith::internal {

/// Operators whose uses, name or summary have the words, the best first: words count by their
/// stems, words of like meaning as one, and what few operators have counts more. Before all others
/// come those with a use, or a name, of exactly these words; then those with all of them in one
/// use. Empty where no word fits.
std::vector<const Operator*> OperatorsLike(std::string_view words);

/// The words of all uses, names and summaries that the search knows: what a mistyped word may mean.
std::vector<std::string> WordsOfOperators();

/// "transferring" and "transfers" are "transfer".
std::string StemOf(std::string_view word);

}  // namespace weightsmith::internal
