// The UNet of Stable Diffusion in the names of its first publication: input_blocks, middle_block,
// output_blocks.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/model/architecture.h"

namespace weightsmith::internal {

struct LdmUnet {
  std::uint64_t in_channels;
  std::uint64_t channels;                  ///< of the outermost level
  std::vector<std::uint64_t> multipliers;  ///< of channels, a level each
  std::vector<std::uint64_t> depth;        ///< transformer blocks, a level each; 0: no attention
  std::uint64_t middle_depth;
  std::uint64_t context;    ///< width of the text that is attended to
  bool linear_projection;   ///< proj_in and proj_out are matrices, not 1x1 convs
  std::uint64_t label = 0;  ///< width of the pooled vector; 0: none
};

/// A model of a family whose members differ in the input alone.
struct UnetVariant {
  std::string_view name;
  std::string_view synth;
  std::uint64_t in_channels;
  std::string_view pipeline = {};  ///< empty: that of the base model
};

std::vector<TensorRule> BuildLdmUnet(const LdmUnet& unet);

}  // namespace weightsmith::internal
