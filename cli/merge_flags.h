// What the command lines of merge, plan and bake may say, in groups.
#pragma once

#include <string_view>
#include <vector>

#include "cli/command.h"

namespace weightsmith::internal {

/// Flags that say what a recipe means: variables, policies, where models are.
std::vector<Flag> RecipeFlags();
/// Flags of a merge without a recipe file.
std::vector<Flag> EverydayFlags();
/// Which dict of a file of torch.save is meant: --key.
Flag KeyFlag(std::string_view group);
/// Flags of adapters that are baked in.
std::vector<Flag> LoraFlags();
/// Flags that say how to run and what becomes of the output.
std::vector<Flag> RunFlags();
/// All of them.
std::vector<Flag> MergeFlags();

/// `RECIPE|MODEL...`.
std::vector<Positional> MergePositionals();

}  // namespace weightsmith::internal
