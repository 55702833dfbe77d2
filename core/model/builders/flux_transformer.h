// The transformer of FLUX.1, in the names of its publisher: double_blocks, single_blocks.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model/architecture.h"

namespace weightsmith::internal {

struct FluxTransformer {
  std::uint64_t in_channels;  ///< of a patch: 64, and what is concatenated to it
  std::uint64_t out_channels;
  std::uint64_t width;
  std::uint64_t head;     ///< width of one attention head
  std::uint64_t context;  ///< width of T5's output
  std::uint64_t vector;   ///< width of CLIP's pooled output
  std::uint64_t time;     ///< width of the timestep's sinusoids
  std::uint64_t double_blocks;
  std::uint64_t single_blocks;
  bool guidance;  ///< distilled guidance is an input: dev has it, schnell has not
  /// Chroma: the width of the network that makes all modulations, in the place of their layers and
  /// of the embeddings of time, vector and guidance; 0: none.
  std::uint64_t modulator = 0;
};

std::vector<TensorRule> BuildFluxTransformer(const FluxTransformer& flux);

}  // namespace weightsmith::internal
