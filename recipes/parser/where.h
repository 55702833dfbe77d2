// Which tensors a step acts on: {component: unet, block: IN04-IN08, rank: 2, name: /attn2/}.
#pragma once

#include <string>
#include <vector>

#include "merge/expression/tensor_filter.h"
#include "recipes/parser/reader.h"

namespace weightsmith::internal {

/// A mapping of what a tensor has to be like, or a list of such; empty after reporting a problem.
std::vector<TensorFilter> ReadWhere(Reader& reader, const SourceNode& node,
                                    const std::string& what);

}  // namespace weightsmith::internal
