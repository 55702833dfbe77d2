#include "recipes/api/guarded.h"

#include <vector>

#include "core/base/text.h"

namespace weightsmith::internal {

Problem ProblemOf(const Diagnostic& diagnostic) {
  const SourcePlace& place = diagnostic.place;
  return {.file = place.source == nullptr ? "" : place.source->name,
          .line = place.line,
          .column = place.column,
          .message = diagnostic.message,
          .advice = diagnostic.advice};
}

RecipeError PublicError(const RecipeProblems& problems) {
  std::vector<Problem> all;
  for (const Diagnostic& diagnostic : problems.errors()) all.push_back(ProblemOf(diagnostic));
  return {problems.code(), problems.what(), problems.options(), std::move(all)};
}

Error PublicError(const std::filesystem::filesystem_error& error) {
  return {ErrorCode::kFailed, Quote(error.path1().string()) + ": " + error.code().message()};
}

}  // namespace weightsmith::internal
