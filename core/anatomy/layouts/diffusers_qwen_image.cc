// Qwen-Image's transformer, whose publisher names it as diffusers does.

#include "core/anatomy/layout.h"

namespace weightsmith {
namespace {

std::vector<Placement> Place(const TensorRule& /*rule*/, const ComponentRule& /*component*/) {
  return {};
}

}  // namespace

const Layout& diffusers_qwen_image() {
  static const Layout layout = {"diffusers", "time_text_embed.timestep_embedder.linear_1.weight",
                                Place};
  return layout;
}

}  // namespace weightsmith
