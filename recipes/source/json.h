// A text in JSON as a tree with places.
#pragma once

#include <memory>
#include <optional>

#include "recipes/source/source_node.h"

namespace weightsmith::internal {

/// Adds what is wrong to `diagnostics`; a tree that is returned may then be incomplete.
std::optional<SourceNode> ReadJson(const std::shared_ptr<const SourceText>& source,
                                   Diagnostics& diagnostics);

}  // namespace weightsmith::internal
