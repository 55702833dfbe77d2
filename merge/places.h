// Values by place: a mapping of rows from selectors to values, where the more specific row wins
// wherever it stands: regex > place:element > single block > range of blocks > component > default.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/anatomy/architecture.h"

namespace weightsmith {

/// What a selector sees of a tensor.
struct TensorPlace {
  std::string_view canonical;
  std::string_view component;  ///< "unet", "clip_l" …
  ComponentKind kind = ComponentKind::kOther;
  std::uint32_t text_encoder = 0;  ///< 1, 2, 3 in the architecture's order; 0: not one
};

enum class Specificity : std::uint8_t {
  kDefault,
  kComponent,
  kBlockRange,
  kBlock,
  kElement,
  kRegex
};

/// Which tensors a row speaks of.
class Selector {
 public:
  /// Reads `default`, a component (`unet` = `transformer` = `dit`, `te` = `BASE`, `te1`, `clip_l`,
  /// `vae` …; case ignored) or `/regex/` (ECMAScript, searched in the first 4,096 bytes of the
  /// canonical name). Nothing for anything else, with what is wrong in `problem`.
  static std::optional<Selector> Parse(std::string_view text, std::string& problem);
  /// The words that Parse takes for components.
  static std::vector<std::string_view> Components();

  bool Matches(const TensorPlace& place) const;
  Specificity specificity() const { return specificity_; }
  /// As it was written.
  const std::string& text() const { return text_; }
  /// Whether the row names the VAE, which is else copied and not merged. A regex does when its text
  /// has "vae" or "first_stage_model"; one that merely happens to match does not.
  bool NamesVae() const;
  /// Whether the two are the same row, however they are spelled.
  bool SameRow(const Selector& other) const {
    return specificity_ == other.specificity_ && component_ == other.component_ &&
           (regex_ == nullptr || text_ == other.text_);
  }

 private:
  /// Null with what is wrong in `problem`.
  static std::shared_ptr<const std::regex> Compile(std::string_view pattern, std::string& problem);

  std::string text_;
  Specificity specificity_ = Specificity::kDefault;
  std::string component_;  ///< canonical word
  std::shared_ptr<const std::regex> regex_;
};

template <class T>
struct PlaceRow {
  Selector selector;
  T value{};
};

/// The two rows of one rank that give one tensor different values.
struct PlaceConflict {
  std::string first;
  std::string second;
};

template <class T>
class PlaceMap {
 public:
  PlaceMap() = default;
  /// One value everywhere.
  explicit PlaceMap(T everywhere) : everywhere_(std::move(everywhere)) {}
  explicit PlaceMap(std::vector<PlaceRow<T>> rows) : rows_(std::move(rows)) {}

  bool empty() const { return !everywhere_ && rows_.empty(); }
  /// The value, when it is one everywhere.
  const std::optional<T>& everywhere() const { return everywhere_; }
  const std::vector<PlaceRow<T>>& rows() const { return rows_; }

  /// The value for a tensor, or nothing where no row matches. A conflict is told in `conflict`.
  std::optional<T> Find(const TensorPlace& place,
                        std::optional<PlaceConflict>* conflict = nullptr) const {
    if (everywhere_) return everywhere_;
    const PlaceRow<T>* best = nullptr;
    for (const PlaceRow<T>& row : rows_) {
      if (!row.selector.Matches(place)) continue;
      if (best == nullptr || row.selector.specificity() > best->selector.specificity()) {
        best = &row;
        if (conflict != nullptr) conflict->reset();
      } else if (row.selector.specificity() == best->selector.specificity() &&
                 !(row.value == best->value) && conflict != nullptr) {
        *conflict = PlaceConflict{best->selector.text(), row.selector.text()};
      }
    }
    if (best == nullptr) return std::nullopt;
    return best->value;
  }

  /// Whether a row names the VAE.
  bool NamesVae() const {
    for (const PlaceRow<T>& row : rows_) {
      if (row.selector.NamesVae()) return true;
    }
    return false;
  }

 private:
  std::optional<T> everywhere_;
  std::vector<PlaceRow<T>> rows_;
};

}  // namespace weightsmith
