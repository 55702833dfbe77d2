// Block weights of adapters as people exchange them (LBW): other places than a merge's lists have,
// because plain LoRAs change attention alone.
#pragma once

#include <cstddef>
#include <span>

namespace weightsmith::internal {

struct BlockList;
struct TensorPlace;

/// Every length that some architecture takes (Architecture::adapter_lists).
bool IsAdapterListLength(std::size_t length);

/// The factor of a tensor: the number of its block or encoder, 0 for a block that a shorter list
/// leaves out, 1 outside all blocks. As sd-webui-lora-block-weight has it. REQUIRES: as many
/// numbers as the list has places.
double AdapterListAt(const BlockList& list, std::span<const double> numbers,
                     const TensorPlace& place);

/// The factor by a preset of 17 numbers on an architecture that has other lists: BASE for text
/// encoders, and the number at the block's depth.
double AdapterPresetAt(std::span<const double> numbers, const TensorPlace& place);

}  // namespace weightsmith::internal
