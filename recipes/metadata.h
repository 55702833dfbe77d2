// What the header of an output says of how it was made.
//
//   format                  "pt"
//   modelspec.*             architecture and what the recipe's metadata gives
//   weightsmith.version     of the program
//   weightsmith.recipe      as `show` writes it, files by their names, the one output
//   weightsmith.inputs      [{"name", "component", "file", "size", "digest", "tensors"}, …]
//   weightsmith.digest      of the file's own tensors
//   weightsmith.ancestors   {digest: {"recipe", "inputs"}} of inputs that were merged themselves
//   sd_merge_recipe, sd_merge_models   where the SHA-256 of inputs are known
//
// Nothing of it depends on folders, dates or hosts.
#pragma once

#include <cstddef>

#include "merge/expression.h"
#include "recipes/open_models.h"
#include "recipes/recipe.h"
#include "recipes/resolve.h"

namespace weightsmith {

/// Makes the metadata of output number `output`. `used` is the recipe without what is not used,
/// its models parallel to those of `expression`.
MetadataMaker MakeMetadata(const Recipe& used, std::size_t output, const Expression& expression,
                           const ModelOpener& opener, const RecipeOptions& options);

}  // namespace weightsmith
