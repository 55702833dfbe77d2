#include "recipes/source/tree_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/base/text.h"

namespace weightsmith {
namespace {

constexpr std::size_t kMaxDepth = 64;

/// Of a value that is not written: behind the colon.
SourcePlace PlaceBehind(const SourceNode& key) {
  SourcePlace place = key.place;
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  const auto skipped = std::ranges::count_if(key.text, continues);
  place.column += static_cast<std::uint32_t>(key.text.size()) -
                  static_cast<std::uint32_t>(skipped) + (key.plain ? 1 : 3);
  return place;
}

}  // namespace

void TreeBuilder::Add(SourceNode node) {
  Attach(std::move(node));
}

bool TreeBuilder::Open(SourceNode node) {
  if (open_.size() >= kMaxDepth) {
    diagnostics_.AddError(
        node.place, fmt::format("mappings and lists are nested more than {} deep", kMaxDepth));
    return false;
  }
  open_.push_back({std::move(node), {}});
  return true;
}

const SourceNode& TreeBuilder::Close() {
  SourceNode node = std::move(open_.back().node);
  open_.pop_back();
  return Attach(std::move(node));
}

const SourceNode& TreeBuilder::Attach(SourceNode node) {
  if (open_.empty()) return root_.emplace(std::move(node));
  Frame& frame = open_.back();
  SourceNode& parent = frame.node;
  if (parent.map() && parent.keys.size() == parent.items.size()) {
    CheckKey(frame, node);
    return parent.keys.emplace_back(std::move(node));
  }
  if (parent.map() && node.implicit) node.place = PlaceBehind(parent.keys.back());
  return parent.items.emplace_back(std::move(node));
}

void TreeBuilder::CheckKey(Frame& frame, const SourceNode& key) {
  if (!key.scalar()) {
    diagnostics_.AddError(key.place, fmt::format("a key is a word, not {}", Describe(key)));
    return;
  }
  if (key.plain && key.text == "<<") {
    diagnostics_.AddError(key.place, "merge keys ('<<') are not part of the language",
                          "Write the entries out; vars can share a value.");
    return;
  }
  const auto [first, added] = frame.seen.emplace(key.text, key.place);
  if (!added) {
    diagnostics_.AddError(key.place,
                          fmt::format("the key {} is there twice, first in line {}",
                                      Quote(key.text), first->second.line),
                          "Remove one of the two, or give it another name.");
  }
}

}  // namespace weightsmith
