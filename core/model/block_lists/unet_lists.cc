#include "core/model/block_lists/unet_lists.h"

#include "core/model/architecture.h"
#include "core/model/block_lists/list_names.h"

namespace weightsmith::internal {
namespace {

constexpr ComponentKind kUnet = ComponentKind::kBackbone;

std::vector<std::string> Names(std::uint32_t blocks) {
  std::vector<std::string> names = {"BASE"};
  AddListNames(names, "IN", blocks);
  names.emplace_back("M00");
  AddListNames(names, "OUT", blocks);
  return names;
}

/// Of a UNet with so many blocks on each way; `middle` is the number of M00. Embeddings of the time
/// go with the first block, the last layers with the last one, and everything else is BASE.
std::vector<ListRow> MergeRows(std::uint32_t blocks, std::uint32_t middle) {
  return {{.kind = kUnet, .family = "time", .number = 1},
          {.kind = kUnet, .family = "in", .blocks = blocks, .number = 1},
          {.kind = kUnet, .family = "mid", .number = middle},
          {.kind = kUnet, .family = "out", .blocks = blocks, .number = middle + 1},
          {.kind = kUnet, .family = "final", .number = middle + blocks},
          {.number = 0}};
}

/// The same with embeddings of the size.
std::vector<ListRow> SizedMergeRows(std::uint32_t blocks, std::uint32_t middle) {
  std::vector<ListRow> rows = MergeRows(blocks, middle);
  rows.insert(rows.begin(), {.kind = kUnet, .family = "label", .number = 1});
  return rows;
}

/// Numbers for these blocks of the ways in and out. Other blocks are left out; the list does not
/// speak of what stands outside all blocks.
BlockList AdapterList(const std::vector<std::uint32_t>& in, const std::vector<std::uint32_t>& out) {
  BlockList list = {.names = {"BASE"}, .rows = {{.kind = ComponentKind::kText, .number = 0}}};
  const auto add = [&list](std::string_view family, std::string name, std::uint32_t block) {
    const auto number = static_cast<std::uint32_t>(list.names.size());
    list.rows.push_back({.kind = kUnet, .family = family, .first_block = block, .number = number});
    list.names.push_back(std::move(name));
  };
  for (const std::uint32_t block : in) add("in", ListName("IN", block), block);
  add("mid", "M00", 0);
  for (const std::uint32_t block : out) add("out", ListName("OUT", block), block);
  for (const std::string_view family : {"in", "out"}) {
    list.rows.push_back({.kind = kUnet, .family = family, .blocks = 0});
  }
  return list;
}

std::vector<std::uint32_t> Blocks(std::uint32_t first, std::uint32_t last) {
  std::vector<std::uint32_t> blocks;
  for (std::uint32_t i = first; i <= last; ++i) blocks.push_back(i);
  return blocks;
}

}  // namespace

std::vector<BlockList> FourLevelMergeLists() {
  return {{.names = Names(12), .rows = MergeRows(12, 13)}};
}

std::vector<BlockList> FourLevelAdapterLists() {
  return {AdapterList({1, 2, 4, 5, 7, 8}, Blocks(3, 11)),
          AdapterList(Blocks(0, 11), Blocks(0, 11))};
}

std::vector<BlockList> ThreeLevelMergeLists() {
  BlockList plain = {.names = Names(9), .rows = SizedMergeRows(9, 10)};
  BlockList with_vae = plain;
  const auto vae = static_cast<std::uint32_t>(with_vae.length());
  with_vae.rows.insert(with_vae.rows.begin(), {.kind = ComponentKind::kVae, .number = vae});
  with_vae.names.emplace_back("VAE");
  return {plain, with_vae, {.names = Names(12), .rows = SizedMergeRows(9, 13)}};
}

std::vector<BlockList> ThreeLevelAdapterLists() {
  return {AdapterList({4, 5, 7, 8}, Blocks(0, 5)), AdapterList(Blocks(0, 8), Blocks(0, 8)),
          AdapterList(Blocks(0, 11), Blocks(0, 11))};
}

}  // namespace weightsmith::internal
