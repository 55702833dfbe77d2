#include "recipes/source/tree_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "core/base/text.h"
#include "recipes/source/writer.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kMaxDepth = 64;
/// Of a value that is shown.
constexpr std::size_t kShown = 120;

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
  open_.push_back({std::move(node), {}, {}});
  return true;
}

const SourceNode& TreeBuilder::Close() {
  Frame frame = std::move(open_.back());
  open_.pop_back();
  ReportTwice(frame);
  return Attach(std::move(frame.node));
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
  const std::size_t index = frame.node.keys.size();
  const auto [first, added] = frame.seen.emplace(key.text, index);
  if (!added) frame.twice.emplace_back(first->second, index);
}

void TreeBuilder::ReportTwice(const Frame& frame) {
  for (const auto& [first, second] : frame.twice) {
    const SourceNode& map = frame.node;
    // In braces "of: photo, anime" makes a key of every word: what is missing is brackets.
    if (map.flow && map.items[second].implicit) continue;
    const SourceNode& key = map.keys[second];
    diagnostics_.AddError(key.place,
                          fmt::format("the key {} is there twice, first in line {}",
                                      Quote(key.text), map.keys[first].place.line),
                          AdviceForTwice(map, first, second));
  }
}

std::string TreeBuilder::AdviceForTwice(const SourceNode& map, std::size_t first,
                                        std::size_t second) const {
  const auto one_of = [](std::string_view word, std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, word) != words.end();
  };
  const std::string& key = map.keys[second].text;
  const std::string one = FlowText(map.items[first], kShown);
  const std::string other = FlowText(map.items[second], kShown);
  if (one == other && !one.ends_with("…")) return "Remove one of the two.";
  if (open_.empty() && key == "output") {
    return fmt::format("Remove one of the two, or write both as outputs: [{}, {}]", one, other);
  }
  if (open_.empty() && map.items[second].map() &&
      one_of(key, {"models", "adapters", "steps", "vars"})) {
    return "Write the entries of both below one of the two, and remove the other.";
  }
  const bool table = open_.size() == 1 && !open_.front().node.keys.empty();
  const std::string_view name = table ? std::string_view(open_.front().node.keys.back().text) : "";
  if (name == "steps") {
    return "Remove one of the two, or give it another name, and then name that one in output.";
  }
  return one_of(name, {"models", "adapters", "vars"})
             ? "Remove one of the two, or give it another name."
             : "Remove one of the two.";
}

}  // namespace weightsmith::internal
