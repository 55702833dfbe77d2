// What to write instead of rows that name no place, and of rows within rows.
#pragma once

#include <string>
#include <string_view>

#include "recipes/source/source_node.h"

namespace weightsmith::internal {

/// Of a key that is no place.
std::string PlaceAdvice(const SourceNode& key);

/// Of a regular expression that cannot be used; empty where nothing is known to be meant.
std::string RegexAdvice(std::string_view row);

/// Whether the value of the row `row` is rows of its own.
bool HoldsRows(std::string_view row, const SourceNode& value);

/// "Write rows of their own: unet: 0.5, unet.in: 0.2" of what stands below the row `row`, which may
/// be no place; `map` is what the row stands in.
std::string NestedRowsAdvice(const SourceNode& map, std::string_view row, const SourceNode& value);

}  // namespace weightsmith::internal
