// The transformer of Stable Diffusion 3, in the names of its publisher: joint_blocks.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/model/architecture.h"

namespace weightsmith::internal {

struct Mmdit {
  std::uint64_t depth;      ///< joint blocks
  std::uint64_t head;       ///< width of one attention head; the model has depth of them
  std::uint64_t positions;  ///< side of the square of learned positions
  std::uint64_t context;    ///< width of the text that is attended to
  std::uint64_t vector;     ///< width of the pooled text
  std::uint64_t time;       ///< width of the timestep's sinusoids
  bool qk_norm;
  std::uint64_t dual_attention;  ///< so many of the first blocks attend to the image twice

  std::uint64_t width() const { return depth * head; }
};

std::vector<TensorRule> BuildMmdit(const Mmdit& mmdit);

/// A model of the family: its transformer with the encoders and the VAE that go with all of them.
ArchitectureRow MmditRow(std::string_view synth, Scale scale, const Mmdit& full);

/// Prefixes of what an fp8 target leaves as it is.
std::vector<std::string_view> MmditKeepPrecision();

}  // namespace weightsmith::internal
