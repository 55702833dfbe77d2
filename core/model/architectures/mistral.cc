// Mistral: Llama's tensors, so that only config.json tells it. The sizes are those of 7B v0.3.

#include "core/model/builders/llama.h"

namespace weightsmith::internal {

const Architecture& mistral() {
  static const Architecture architecture = LlamaArchitecture({.id = "mistral",
                                                              .title = "Mistral",
                                                              .traits = {},
                                                              .published = {.vocabulary = 32768,
                                                                            .hidden = 4096,
                                                                            .intermediate = 14336,
                                                                            .layers = 32,
                                                                            .query = 4096,
                                                                            .key = 1024,
                                                                            .head = 0,
                                                                            .tied = false},
                                                              .tiny = {.vocabulary = 88,
                                                                       .hidden = 32,
                                                                       .intermediate = 56,
                                                                       .layers = 32,
                                                                       .query = 32,
                                                                       .key = 8,
                                                                       .head = 0,
                                                                       .tied = false},
                                                              .form = "llama"});
  return architecture;
}

}  // namespace weightsmith::internal
