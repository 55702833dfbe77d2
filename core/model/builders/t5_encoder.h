// The encoder half of T5 v1.1 and of UMT5, in Hugging Face's names.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model/architecture.h"

namespace weightsmith::internal {

struct T5Encoder {
  std::uint64_t blocks;
  std::uint64_t width;
  std::uint64_t inner;  ///< of the gated feed-forward layers
  std::uint64_t heads;  ///< of width / heads each
  std::uint64_t vocabulary;
  bool own_biases = false;  ///< every block has a bias of positions, not the first for all: UMT5
};

std::vector<TensorRule> BuildT5Encoder(const T5Encoder& t5);

}  // namespace weightsmith::internal
