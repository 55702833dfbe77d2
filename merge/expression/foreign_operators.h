// Operators that other tools have, and people ask for: what they are called here, or what comes
// nearest.
#pragma once

#include <string>
#include <string_view>

namespace weightsmith::internal {

/// A sentence about an operator that there is not: "sigmoid is not here yet. It …". Empty for a
/// name that no known tool has. Case, hyphens and underscores make no difference.
std::string AboutForeignOperator(std::string_view name);

/// The operator that is the same as one of another tool: "weighted_sum" for "lerp"; empty where
/// there is none.
std::string ForeignOperatorLike(std::string_view name);

/// The operator that comes nearest to one of another tool, the same or not; empty for a name that
/// no known tool has.
std::string_view NearestToForeign(std::string_view name);

}  // namespace weightsmith::internal
