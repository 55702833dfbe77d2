// The lists of FLUX.1: 61 numbers, CLIP, T5, IN, D00-D18, S00-S37, OUT.
#pragma once

#include <vector>

#include "core/model/block_list.h"

namespace weightsmith::internal {

/// Of merges; the VAE is not merged by them.
std::vector<BlockList> FluxMergeLists();
std::vector<BlockList> FluxAdapterLists();

}  // namespace weightsmith::internal
