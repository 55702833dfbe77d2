// Which tensors a step acts on: by place, name, number of dimensions and size.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/tensor/tensor.h"
#include "merge/expression/places.h"

namespace weightsmith::internal {

/// A tensor is meant that is like all that is given; of a list, like one of it.
struct TensorFilter {
  std::vector<Selector> components;
  std::vector<Selector> blocks;
  std::vector<Selector> names;  ///< regular expressions, and elements of every place
  std::vector<std::uint64_t> ranks;
  std::optional<std::uint64_t> larger_than;  ///< elements, exclusive; likewise below
  std::optional<std::uint64_t> smaller_than;

  bool Matches(const TensorPlace& place, const Shape& shape) const;
  /// Whether it speaks of the VAE, which is else left alone.
  bool NamesVae() const;
};

/// What a recipe has under `name`: steps of a name, or a /regex/.
std::string_view WrittenName(const Selector& selector);

/// Whether a tensor is like any of them.
bool AnyMatches(const std::vector<TensorFilter>& filters, const TensorPlace& place,
                const Shape& shape);
bool AnyNamesVae(const std::vector<TensorFilter>& filters);

}  // namespace weightsmith::internal
