// Block weights as people exchange them: numbers for the blocks of an architecture in a fixed
// order, with the map of keys to places of SuperMerger, so that published numbers give published
// merges.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace weightsmith::internal {

struct Architecture;
struct BlockList;
struct TensorPlace;

/// The list of that length; null where there is none.
const BlockList* FindLength(std::span<const BlockList> lists, std::size_t length);

/// Every length that some architecture takes (Architecture::merge_lists).
bool IsListLength(std::size_t length);

/// The place of a tensor in a list of a merge; nothing for one that such lists never merge (a name
/// without "weight" or "bias", a VAE that the list does not have).
std::optional<std::size_t> ListPlaceOf(const TensorPlace& place, const BlockList& list);

struct CommunityList {
  std::vector<double> numbers;
  /// Where it does not fit, its shape over the blocks is resampled over the model's depth, and its
  /// first number is the text encoders'.
  bool resample = false;
  /// Of an adapter's strength: see adapter_list.h.
  bool adapter = false;

  /// Nothing where the list says nothing: the leftmost operand stays.
  std::optional<double> At(const TensorPlace& place) const;
  /// The architecture's list with as many places; null where it has none, or is not known.
  const BlockList* ListOf(const Architecture* architecture) const;
  /// How many numbers such a list may have for an architecture.
  std::vector<std::size_t> LengthsFor(const Architecture* architecture) const;

  bool operator==(const CommunityList&) const = default;
};

/// The place as SuperMerger's map has it, for rows that are to mean what its numbers mean: time
/// and label embeddings with the first block, the last layers with the last one, the rest BASE.
/// Nothing for what it never merges.
std::optional<TensorPlace> AsSuperMerger(TensorPlace place);

/// Knots at equal distances from 0 to 1, linear between them.
double Interpolate(std::span<const double> knots, double at);

}  // namespace weightsmith::internal
