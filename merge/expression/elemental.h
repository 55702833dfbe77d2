// Weights by block and element, as SuperMerger's and Chattiori's users write them:
//
//   IN04-IN08:attn2:0.5, NOT OUT04:attn1.to_out proj:0.2, BASE::0.1
//
// Entries stand behind commas or on lines of their own: blocks, parts of names, a number. The last
// entry that matches counts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weightsmith::internal {

struct TensorPlace;

class ElementalText {
 public:
  /// Nothing where it cannot be read, with what is wrong in `problem`. `otherwise` is what tensors
  /// get that no entry matches.
  static std::optional<ElementalText> Parse(std::string_view text, double otherwise,
                                            std::string& problem);

  /// Blocks are those of SuperMerger's map: time embeddings are IN00, last layers the last OUT, all
  /// but the diffusion model BASE.
  double At(const TensorPlace& place) const;
  /// A sentence for each entry that is at no tensor of a model, or has a part of a name that none
  /// in its blocks has; of the first 20 of those.
  std::vector<std::string> Idle(std::span<const TensorPlace> places) const;
  /// All numbers, the one of other tensors first.
  std::vector<double> Numbers() const;

  bool operator==(const ElementalText&) const = default;

 private:
  /// Blocks by their rank in the order of a model.
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;

    bool operator==(const Range&) const = default;
  };
  struct Entry {
    std::string text;
    bool not_blocks = false;
    std::vector<Range> blocks;  ///< empty: all
    bool not_elements = false;
    std::vector<std::string> elements;  ///< parts of names; empty: all
    double number = 0;

    bool HasBlock(std::uint32_t rank) const;
    bool HasElement(std::string_view name) const;
    bool operator==(const Entry&) const = default;
  };

  static std::optional<std::uint32_t> RankOf(std::string_view block);
  static std::optional<std::uint32_t> RankOf(const TensorPlace& place);
  static std::optional<Entry> ParseEntry(std::string_view text, std::string& problem);
  /// Empty where every part of the entry is at some tensor. `ranks` are those of the names.
  static std::string IdleIn(const Entry& entry, std::span<const std::string_view> names,
                            std::span<const std::uint32_t> ranks);

  std::vector<Entry> entries_;
  double otherwise_ = 0;
};

}  // namespace weightsmith::internal
