// Which words of a command line each part of an everyday recipe comes from, so that a problem is
// reported at the flag and not at a line of a recipe that nobody wrote.
#pragma once

#include <string>

#include "cli/everyday.h"
#include "recipes/diagnostic.h"

namespace weightsmith::internal {

/// Flags and their values as they were typed.
struct EverydayWords {
  std::string alpha_flag = "--alpha";  ///< or --mbw
  std::string alpha;
};

/// The source of RecipeText(merge), which knows where its parts come from. What is wrong with the
/// form of a value goes to `diagnostics`.
SourceText EverydaySource(const EverydayMerge& merge, const EverydayWords& words,
                          Diagnostics& diagnostics);

}  // namespace weightsmith::internal
