// Values by place: a mapping of rows from selectors to values, where the more specific row wins
// wherever it stands: regex > place:element > single block > range of blocks > component > default.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/matcher.h"
#include "core/model/architecture.h"
#include "core/model/blocks.h"
#include "merge/expression/community_list.h"
#include "merge/expression/elemental.h"

namespace weightsmith::internal {

/// What a selector sees of a tensor.
struct TensorPlace {
  std::string_view canonical;
  std::string_view component;  ///< "unet", "clip_l" …
  ComponentKind kind = ComponentKind::kOther;
  std::uint32_t text_encoder = 0;  ///< 1, 2, 3 in the architecture's order; 0: not one
  Block block = {};
  double depth = 0;  ///< of the block among those of its component: 0 first, 1 last
  const Architecture* architecture = nullptr;  ///< of the model; null: not known
  bool merged_by_default = true;               ///< as the component's declaration has it
};

enum class Specificity : std::uint8_t {
  kDefault,
  kComponent,
  kBlockRange,
  kBlock,
  kElement,
  kRegex
};

/// A block by its family and its number in it.
using NumberedBlock = std::pair<std::string, std::uint32_t>;

/// Which tensors a row speaks of.
class Selector {
 public:
  /// Reads `default`, a component (`unet` = `transformer` = `dit`, `te` = `BASE`, `te1`, `clip_l`,
  /// `vae` …; case ignored), a block or a range of blocks (`unet.in.3`, `layer.0-31`, `te.layer.5`,
  /// `vae.decoder`, `IN00-IN05`, `M00`, `D07`, `TIME`), either of them with an element behind a
  /// colon (`IN04-IN08:attn2`: whole steps of the name), or `/regex/` (RE2, searched in the
  /// canonical name). Nothing for anything else, with what is wrong in `problem`.
  static std::optional<Selector> Parse(std::string_view text, std::string& problem);
  /// The words that Parse takes for components.
  static std::vector<std::string_view> Components();
  /// The words that it takes for blocks of every model.
  static std::span<const std::string_view> Families();

  bool Matches(const TensorPlace& place) const;
  /// Where in the row's range a tensor stands that it matches: 0 at its start, 1 at its end.
  double Position(const TensorPlace& place) const;
  Specificity specificity() const { return specificity_; }
  /// As it was written.
  const std::string& text() const { return text_; }
  /// Whether it is a word for a kind of component (`unet`, `te`, `vae`), and not for one of them.
  bool NamesKind() const;
  /// Of a place with an element, all of the place.
  Selector WithoutElement() const;
  /// Whether the row names the VAE, which is else copied and not merged. A regex does when its text
  /// has "vae" or "first_stage_model"; one that merely happens to match does not.
  bool NamesVae() const;
  /// Equal for two selectors that are the same row, however they are spelled.
  std::string Key() const;
  /// The family and the number of the one block that it speaks of.
  std::optional<NumberedBlock> OneBlock() const;

 private:
  std::string text_;
  Specificity specificity_ = Specificity::kDefault;
  bool MatchesComponent(const TensorPlace& place) const;
  bool ParseBlock(std::string_view lower);
  bool ParseRange(std::string_view text, std::string_view letters);

  std::string component_;               ///< canonical word; of a block empty: the diffusion model
  std::string family_;                  ///< of blocks
  std::optional<std::uint32_t> first_;  ///< of a range of blocks; of one block both are it
  std::optional<std::uint32_t> last_;
  std::string element_;
  std::optional<Matcher> regex_;
};

/// The place that a block of other programs is, "IN00-IN05" for "input_blocks.0-5"; empty for
/// anything else.
std::string MeantBlock(std::string_view written);

/// The community's letters for blocks of a family: "IN" of "in"; empty where there are none.
std::string_view CommunityLetters(std::string_view family);

template <class T>
struct PlaceRow {
  Selector selector;
  T value{};
  /// Of numbers: values over the row's range, linear between them, in the place of `value`.
  std::vector<double> knots{};

  T At(const TensorPlace& place) const {
    if constexpr (std::is_same_v<T, double>) {
      if (!knots.empty()) return Interpolate(knots, selector.Position(place));
    }
    return value;
  }
};

/// The two rows of one rank that give one tensor different values.
struct PlaceConflict {
  std::string first;
  std::string second;
};

/// Which of many rows a place may match: those of its block, and those of no single block.
class RowIndex {
 public:
  /// Adds the next row.
  void Add(const Selector& selector);
  /// Numbers of the rows that `place` may match, in order.
  std::vector<std::size_t> RowsFor(const TensorPlace& place) const;

 private:
  std::size_t count_ = 0;
  std::map<NumberedBlock, std::vector<std::size_t>> by_block_;
  std::vector<std::size_t> others_;
};

template <class T>
class PlaceMap {
 public:
  PlaceMap() = default;
  /// One value everywhere.
  explicit PlaceMap(T everywhere) : everywhere_(std::move(everywhere)) {}
  explicit PlaceMap(std::vector<PlaceRow<T>> rows) : rows_(std::move(rows)) {
    for (const PlaceRow<T>& row : rows_) index_.Add(row.selector);
  }
  /// Numbers in the community's order; a tensor that the list leaves out gets 0.
  explicit PlaceMap(CommunityList list) requires std::is_same_v<T, double>
      : list_(std::move(list)) {}
  /// Numbers by block and element.
  explicit PlaceMap(ElementalText text) requires std::is_same_v<T, double>
      : elemental_(std::move(text)) {}

  bool empty() const { return !everywhere_ && rows_.empty() && !list_ && !elemental_; }
  const std::optional<CommunityList>& list() const { return list_; }
  const std::optional<ElementalText>& elemental() const { return elemental_; }
  /// The value, when it is one everywhere.
  const std::optional<T>& everywhere() const { return everywhere_; }
  const std::vector<PlaceRow<T>>& rows() const { return rows_; }

  /// The value for a tensor, or nothing where no row matches. A conflict goes to `conflict`.
  std::optional<T> Find(const TensorPlace& place,
                        std::optional<PlaceConflict>* conflict = nullptr) const {
    if (everywhere_) return everywhere_;
    if constexpr (std::is_same_v<T, double>) {
      if (list_) return list_->At(place).value_or(0);
      if (elemental_) return elemental_->At(place);
    }
    const PlaceRow<T>* best = nullptr;
    for (const std::size_t number : index_.RowsFor(place)) {
      const PlaceRow<T>& row = rows_[number];
      if (!row.selector.Matches(place)) continue;
      if (best == nullptr || row.selector.specificity() > best->selector.specificity()) {
        best = &row;
        if (conflict != nullptr) conflict->reset();
      } else if (row.selector.specificity() == best->selector.specificity() &&
                 !(row.At(place) == best->At(place)) && conflict != nullptr) {
        *conflict = PlaceConflict{best->selector.text(), row.selector.text()};
      }
    }
    if (best == nullptr) return std::nullopt;
    return best->At(place);
  }

  /// Whether a row names the VAE. Lists have a place for it, or leave it out by themselves.
  bool NamesVae() const {
    if (list_) return true;
    for (const PlaceRow<T>& row : rows_) {
      if (row.selector.NamesVae()) return true;
    }
    return false;
  }

 private:
  std::optional<T> everywhere_;
  std::vector<PlaceRow<T>> rows_;
  RowIndex index_;
  std::optional<CommunityList> list_;
  std::optional<ElementalText> elemental_;
};

}  // namespace weightsmith::internal
