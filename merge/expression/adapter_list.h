// Block weights of adapters as people exchange them (LBW): other places than a merge's lists have,
// because plain LoRAs change attention alone.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace weightsmith::internal {

struct TensorPlace;

/// How many numbers a list may have for an architecture: 17 or 26 for SD 1 and 2, 12, 20 or 26 for
/// SDXL, 61 for FLUX.1; none for those that have no such order.
std::vector<std::size_t> AdapterListLengths(std::string_view architecture);

/// Every length that some architecture takes.
bool IsAdapterListLength(std::size_t length);

/// The factor of a tensor: the number of its block, of the text encoders BASE (of FLUX.1's CLIP and
/// T5), 0 for a block that a shorter list leaves out, 1 outside all blocks. As
/// sd-webui-lora-block-weight has it. REQUIRES: a length that the architecture takes.
double AdapterListAt(std::span<const double> numbers, const TensorPlace& place);

/// The factor by a preset of 17 numbers on an architecture that has other lists: BASE for text
/// encoders, and the number at the block's depth.
double AdapterPresetAt(std::span<const double> numbers, const TensorPlace& place);

}  // namespace weightsmith::internal
