// The lists of Stable Diffusion's UNets, as SuperMerger (merges) and LoRA Block Weight (adapters)
// have them.
#pragma once

#include <vector>

#include "core/model/block_list.h"

namespace weightsmith::internal {

/// 26 numbers: BASE, IN00-IN11, M00, OUT00-OUT11, for a UNet of four levels.
std::vector<BlockList> FourLevelMergeLists();
/// The same, and 17 of the blocks with attention alone.
std::vector<BlockList> FourLevelAdapterLists();

/// 20 numbers: BASE, IN00-IN08, M00, OUT00-OUT08, for a UNet of three levels and size embeddings;
/// 21, with one for the VAE; 26, made for four levels, whose first nine of each way count.
std::vector<BlockList> ThreeLevelMergeLists();
/// 12 numbers of the blocks with attention, 20, or 26.
std::vector<BlockList> ThreeLevelAdapterLists();

}  // namespace weightsmith::internal
