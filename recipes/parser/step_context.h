// What the readers of a step's parts have in common.
#pragma once

#include <functional>
#include <string>

#include "recipes/parser/graph.h"
#include "recipes/parser/reader.h"
#include "recipes/presets.h"

namespace weightsmith::internal {

struct StepContext {
  Reader& reader;
  Graph& graph;
  const Policies& policies;  ///< of the recipe
  const Presets& presets;    ///< the user's
  /// Reads an operand: a name, or an inline step that is then called `name`. `what` is what
  /// messages call the operand.
  std::function<OperandReference(const SourceNode& node, const std::string& name,
                                 const std::string& what)>
      read_operand;
};

}  // namespace weightsmith::internal
