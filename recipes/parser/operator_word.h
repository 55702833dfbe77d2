// The word for a step's operator: where it is unknown or missing, which operator is meant.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "merge/operator.h"
#include "recipes/parser/reader.h"
#include "recipes/source/source_node.h"

namespace weightsmith::internal {

/// The keys of a step of this operator.
std::vector<std::string> KeysOf(const Operator& op);
bool IsKeyOf(const Operator& op, const std::string& key);
/// Whether a step of some operator has this key.
bool IsKeyOfAny(const std::string& key);

/// The step's operator, or of an unknown one that which is meant, to read on; null for none.
const Operator* ReadOperator(Reader& reader, const SourceNode& node, const std::string& what);

/// The step with its key `op`, where that is called otherwise.
std::optional<SourceNode> WithOperator(Reader& reader, const SourceNode& node,
                                       const std::string& what);

}  // namespace weightsmith::internal
