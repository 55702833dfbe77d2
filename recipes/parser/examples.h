// How parts of a recipe are to look, in the words of the recipe at hand, for advice.
#pragma once

#include <string>
#include <vector>

#include "recipes/parser/graph.h"
#include "recipes/source/source_node.h"

namespace weightsmith::internal {

/// The names of a recipe's files, as they are written, its own before those that it includes.
struct FileNames {
  std::vector<std::string> models;
  std::vector<std::string> adapters;
};
FileNames FilesOf(const Graph& graph);

/// "{op: weighted_sum, a: photo, b: anime, alpha: 0.5}".
std::string ExampleOfStep(const FileNames& files);

/// How to write what stands where the steps should. `name` is that of a step which is not there.
std::string StepsAdvice(const SourceNode& node, const std::string& name, const FileNames& files);

/// Of a step that stands at the top, the recipe that it should be.
std::string RecipeOfStep(const SourceNode& top);

/// "{model: mix, path: mix.safetensors}" of "mix: mix.safetensors" and "mix: {path: …}".
std::string NamedOutput(const SourceNode& name, const SourceNode& value);

/// How to write what stands where the list of outputs should, or of a list where one should.
std::string OutputsAdvice(const SourceNode& node);

/// What an output may look like where the steps have these names.
std::string OutputExample(const std::vector<std::string>& names);

}  // namespace weightsmith::internal
