// Qwen2 and Qwen2.5: Llama with biases in the attention. The sizes are those of Qwen2.5 7B.

#include "core/model/builders/llama.h"

namespace weightsmith::internal {

const Architecture& qwen2() {
  static const Architecture architecture =
      LlamaArchitecture({.id = "qwen2",
                         .title = "Qwen2",
                         .traits = {.attention_bias = Bias::kYes},
                         .published = {.vocabulary = 152064,
                                       .hidden = 3584,
                                       .intermediate = 18944,
                                       .layers = 28,
                                       .query = 3584,
                                       .key = 512,
                                       .head = 0,
                                       .tied = false},
                         .tiny = {.vocabulary = 96,
                                  .hidden = 28,
                                  .intermediate = 48,
                                  .layers = 28,
                                  .query = 28,
                                  .key = 8,
                                  .head = 0,
                                  .tied = false}});
  return architecture;
}

}  // namespace weightsmith::internal
