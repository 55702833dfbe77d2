#include "core/model/block_lists/flux_lists.h"

#include "core/model/architecture.h"
#include "core/model/block_lists/list_names.h"

namespace weightsmith::internal {
namespace {

constexpr std::uint32_t kDouble = 19;
constexpr std::uint32_t kSingle = 38;

std::vector<std::string> Names() {
  std::vector<std::string> names = {"CLIP", "T5", "IN"};
  AddListNames(names, "D", kDouble);
  AddListNames(names, "S", kSingle);
  names.emplace_back("OUT");
  return names;
}

/// Rows of the blocks; `kind` of the component that they stand in, nothing: any.
void AddBlocks(std::vector<ListRow>& rows, std::optional<ComponentKind> kind) {
  rows.push_back({.kind = kind, .family = "double", .blocks = kDouble, .number = 3});
  rows.push_back({.kind = kind, .family = "single", .blocks = kSingle, .number = 3 + kDouble});
  rows.push_back({.kind = kind, .family = "final", .number = 3 + kDouble + kSingle});
  rows.push_back({.kind = kind, .number = 2});
}

}  // namespace

std::vector<BlockList> FluxMergeLists() {
  BlockList list = {.names = Names(),
                    .rows = {{.kind = ComponentKind::kVae},
                             {.component = "clip_l", .number = 0},
                             {.component = "t5xxl", .number = 1}}};
  AddBlocks(list.rows, std::nullopt);
  return {std::move(list)};
}

std::vector<BlockList> FluxAdapterLists() {
  BlockList list = {.names = Names(),
                    .rows = {{.kind = ComponentKind::kText, .component = "t5xxl", .number = 1},
                             {.kind = ComponentKind::kText, .number = 0}}};
  AddBlocks(list.rows, ComponentKind::kBackbone);
  return {std::move(list)};
}

}  // namespace weightsmith::internal
