// Llama 1 to 3, and whatever has the same tensors: of Mistral's models those without a config.json
// that says so. The sizes are those of Llama 3.1 8B.

#include "core/model/builders/llama.h"

namespace weightsmith::internal {

const Architecture& llama() {
  static const Architecture architecture = LlamaArchitecture({.id = "llama",
                                                              .title = "Llama",
                                                              .traits = {},
                                                              .published = {.vocabulary = 128256,
                                                                            .hidden = 4096,
                                                                            .intermediate = 14336,
                                                                            .layers = 32,
                                                                            .query = 4096,
                                                                            .key = 1024,
                                                                            .head = 0,
                                                                            .tied = false},
                                                              .tiny = {.vocabulary = 96,
                                                                       .hidden = 32,
                                                                       .intermediate = 48,
                                                                       .layers = 32,
                                                                       .query = 32,
                                                                       .key = 8,
                                                                       .head = 0,
                                                                       .tied = false}});
  return architecture;
}

}  // namespace weightsmith::internal
