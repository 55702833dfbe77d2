// The KL autoencoder of latent diffusion, in the names of its first publication.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model/architecture.h"

namespace weightsmith::internal {

struct KlVae {
  std::uint64_t latent;    ///< channels of the latent image: 4, 16
  std::uint64_t channels;  ///< of the outermost level
  bool quant_convs;        ///< 1x1 convolutions around the latent image
};

std::vector<TensorRule> BuildKlVae(const KlVae& vae);

}  // namespace weightsmith::internal
