// Qwen3: Llama with normalised queries and keys. The sizes are those of 4B, which is the text
// encoder of Z-Image.

#include "core/model/builders/llama.h"

namespace weightsmith::internal {

const Architecture& qwen3() {
  static const Architecture architecture = LlamaArchitecture({.id = "qwen3",
                                                              .title = "Qwen3",
                                                              .traits = {.qk_norm = true},
                                                              .published = {.vocabulary = 151936,
                                                                            .hidden = 2560,
                                                                            .intermediate = 9728,
                                                                            .layers = 36,
                                                                            .query = 4096,
                                                                            .key = 1024,
                                                                            .head = 128,
                                                                            .tied = true},
                                                              .tiny = {.vocabulary = 96,
                                                                       .hidden = 20,
                                                                       .intermediate = 40,
                                                                       .layers = 36,
                                                                       .query = 32,
                                                                       .key = 8,
                                                                       .head = 4,
                                                                       .tied = true}});
  return architecture;
}

}  // namespace weightsmith::internal
