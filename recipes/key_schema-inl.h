// JSON Schemas of mappings whose keys are in a table of the vocabulary.
#pragma once

#include <span>

#include "core/base/json-inl.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {

Json KeysSchema(std::span<const KeySpec> keys);

}  // namespace weightsmith::internal
