#include "recipes/source/tree_builder.h"

#include <fmt/format.h>

#include <utility>

#include "core/text.h"

namespace weightsmith {
namespace {

constexpr std::size_t kMaxDepth = 64;

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
  return parent.items.emplace_back(std::move(node));
}

void TreeBuilder::CheckKey(Frame& frame, const SourceNode& key) {
  if (!key.scalar()) {
    diagnostics_.AddError(key.place, fmt::format("a key is a word, not {}", Describe(key)));
    return;
  }
  if (key.plain && key.text == "<<") {
    diagnostics_.AddError(key.place, "merge keys ('<<') are not part of the language",
                          "Write the entries out, or share values through vars.");
    return;
  }
  const auto [first, added] = frame.seen.emplace(key.text, key.place);
  if (!added) {
    diagnostics_.AddError(key.place,
                          fmt::format("the key {} stands twice in one mapping; first in line {}",
                                      Quote(key.text), first->second.line),
                          "Remove one of the two.");
  }
}

}  // namespace weightsmith
