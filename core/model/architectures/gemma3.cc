// Gemma 3, text only: Gemma 2 with normalised queries and keys. The sizes are those of 1B.

#include "core/model/builders/llama.h"

namespace weightsmith::internal {

const Architecture& gemma3() {
  static const Architecture architecture =
      LlamaArchitecture({.id = "gemma3",
                         .title = "Gemma 3",
                         .traits = {.qk_norm = true, .sandwich_norms = true},
                         .published = {.vocabulary = 262144,
                                       .hidden = 1152,
                                       .intermediate = 6912,
                                       .layers = 26,
                                       .query = 1024,
                                       .key = 256,
                                       .head = 256,
                                       .tied = true},
                         .tiny = {.vocabulary = 128,
                                  .hidden = 24,
                                  .intermediate = 64,
                                  .layers = 26,
                                  .query = 32,
                                  .key = 8,
                                  .head = 8,
                                  .tied = true}});
  return architecture;
}

}  // namespace weightsmith::internal
