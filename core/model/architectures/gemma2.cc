// Gemma 2: Llama with norms before and behind the MLP. The sizes are those of 2B, which is the text
// encoder of Lumina 2.

#include "core/model/builders/llama.h"

namespace weightsmith::internal {

const Architecture& gemma2() {
  static const Architecture architecture = LlamaArchitecture({.id = "gemma2",
                                                              .title = "Gemma 2",
                                                              .traits = {.sandwich_norms = true},
                                                              .published = {.vocabulary = 256000,
                                                                            .hidden = 2304,
                                                                            .intermediate = 9216,
                                                                            .layers = 26,
                                                                            .query = 2048,
                                                                            .key = 1024,
                                                                            .head = 0,
                                                                            .tied = true},
                                                              .tiny = {.vocabulary = 128,
                                                                       .hidden = 24,
                                                                       .intermediate = 64,
                                                                       .layers = 26,
                                                                       .query = 32,
                                                                       .key = 16,
                                                                       .head = 0,
                                                                       .tied = true}});
  return architecture;
}

}  // namespace weightsmith::internal
