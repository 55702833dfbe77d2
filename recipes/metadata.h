// What the header of an output says of how it was made.
//
//   format                  "pt"
//   modelspec.*             what the file is: architecture, implementation, title, the models that
//                           went in, and what the recipe's metadata gives, which wins
//   weightsmith.version     of the program
//   weightsmith.recipe      as `show` writes it, with every variable, include and option of the
//                           command line resolved, and files by their names alone
//   weightsmith.inputs      [{"name", "component", "file", "size", "sha256", "digest",
//                           "tensors_read", "tensors"}, …] of the whole run
//   weightsmith.digest      of the file's own tensors; 32 zeros where none were taken
//   weightsmith.ancestors   recipes and inputs of inputs that were merged themselves (history.h)
//   sd_merge_recipe, sd_merge_models   where the SHA-256 of all inputs are known
//
// Of an output whose recipe says `metadata: keep` it is that of the leftmost model, without what is
// not true of the new file.
//
// Nothing of it depends on folders, dates or hosts.
#pragma once

#include <cstddef>

#include "merge/expression/expression.h"
#include "recipes/open_models.h"
#include "recipes/recipe.h"
#include "recipes/resolve.h"

namespace weightsmith::internal {

/// Makes the metadata of output number `output`. `used` is the recipe without what is not used,
/// its models parallel to those of `expression`. With RecipeOptions::private_metadata it is
/// `format` and `modelspec.architecture` alone.
MetadataMaker MakeMetadata(const Recipe& used, std::size_t output, const Expression& expression,
                           const ModelOpener& opener, const RecipeOptions& options);

}  // namespace weightsmith::internal
