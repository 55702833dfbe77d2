// Adapters where the command line does not take them, and strengths that are none: what to write
// instead.
#pragma once

#include <string>
#include <vector>

#include "cli/everyday.h"
#include "recipes/recipe.h"

namespace weightsmith::internal {

/// Throws kUsage for the words of --lora that name no file and end in what is not a strength, such
/// as "style.safetensors:70%".
void ExpectStrength(const LoraArgument& lora, const std::string& words);

/// Throws kUsage: `bake` was given files and no adapter by --lora; one of the files may be one.
[[noreturn]] void RefuseNoAdapter(const std::vector<std::string>& files);

/// Throws kMismatch for a model of an everyday merge that is an adapter.
void RefuseAdaptersAmongModels(const Recipe& recipe);

}  // namespace weightsmith::internal
