// The policies of a recipe, of a step, and of the command line.
#pragma once

#include <string>

#include "merge/expression/expression.h"
#include "recipes/parser/reader.h"

namespace weightsmith::internal {

/// Applies a `policy` mapping. `step` names the step whose own it is; empty: the recipe's.
void ReadPolicies(Reader& reader, const SourceNode& node, const std::string& step,
                  Policies& policies);

/// Applies `--policy NAME=VALUE`, the value in YAML.
void ReadPolicyOption(Reader& reader, const std::string& name, const std::string& value,
                      Policies& policies);

}  // namespace weightsmith::internal
