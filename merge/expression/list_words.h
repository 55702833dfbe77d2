// Lists of block weights in words: which architectures take which, and what their places are.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weightsmith::internal {

struct BlockList;

/// Architectures that take the same lists.
struct ListTakers {
  std::vector<std::string_view> ids;  ///< "sd1", "sd2"
  std::span<const BlockList> lists;   ///< the first are those of their own blocks
};

/// All that take any: lists of merges, or those of adapters.
std::vector<ListTakers> TakersOfLists(bool adapter);

/// "61 for flux1, 26 for sd1 and sd2, 20, 21 or 26 for sdxl".
std::string ListLengthsInWords(bool adapter);

/// The places of a list in order, with ranges for what is counted: "BASE", "IN00-IN11", "M00".
std::vector<std::string> PlacesOf(const BlockList& list);
/// Of them the blocks alone: "IN00-IN11", "M00".
std::vector<std::string> BlocksOf(BlockList list);

/// The blocks of every architecture with lists: "flux1: D00-D18, S00-S37; sd1 and sd2: IN00-IN11,
/// M00, OUT00-OUT11".
std::string ListedBlocksInWords();

/// The last number behind the letters in any list: 11 of "IN". Nothing where no list has them.
std::optional<std::uint32_t> LastListed(std::string_view letters);

}  // namespace weightsmith::internal
