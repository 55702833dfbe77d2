// How parts of a recipe are to look, in the words of the recipe at hand, for advice.
#pragma once

#include <string>
#include <vector>

#include "recipes/source/source_node.h"

namespace weightsmith {

/// How to write what stands where the steps should.
std::string StepsAdvice(const SourceNode& node);

/// Of a step that stands at the top, the recipe that it should be.
std::string RecipeOfStep(const SourceNode& top);

/// What an output may look like where the steps have these names.
std::string OutputExample(const std::vector<std::string>& names);

}  // namespace weightsmith
