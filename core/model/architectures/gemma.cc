// Gemma: Llama's tensors with a vocabulary of its own, tied. The sizes are those of 7B.

#include "core/model/builders/llama.h"

namespace weightsmith::internal {
namespace {

constexpr LlamaSizes kTiny = {.vocabulary = 128,
                              .hidden = 24,
                              .intermediate = 64,
                              .layers = 28,
                              .query = 32,
                              .key = 32,
                              .head = 0,
                              .tied = true};

/// Fine-tunes add words to the vocabulary; no other family has one so large, and no head.
bool HasGemmasVocabulary(const LlamaSizes& sizes) {
  return sizes.tied && (sizes.vocabulary >= 256000 || sizes == kTiny);
}

}  // namespace

const Architecture& gemma() {
  static const Architecture architecture = LlamaArchitecture({.id = "gemma",
                                                              .title = "Gemma",
                                                              .traits = {},
                                                              .published = {.vocabulary = 256000,
                                                                            .hidden = 3072,
                                                                            .intermediate = 24576,
                                                                            .layers = 28,
                                                                            .query = 4096,
                                                                            .key = 4096,
                                                                            .head = 0,
                                                                            .tied = true},
                                                              .tiny = kTiny,
                                                              .accept = HasGemmasVocabulary,
                                                              .form = "llama"});
  return architecture;
}

}  // namespace weightsmith::internal
