// PEFT's LoRA of an embedding: A [rank, words], B [width, rank].

#include "core/adapters/adapter_family.h"

namespace weightsmith::adapter_families {
namespace {

std::uint64_t Rank(const AdapterShapes& shapes) {
  return AxisOf(shapes, AdapterRole::kEmbeddingDown, 0);
}

}  // namespace

const AdapterFamily& lora_embedding() {
  using enum AdapterRole;
  static const AdapterFamily family = {.id = "lora_embedding",
                                       .title = "LoRA of an embedding",
                                       .source = "PEFT",
                                       .precedence = 61,
                                       .known_by = {kEmbeddingDown, kEmbeddingUp},
                                       .forms = {{kEmbeddingDown, kEmbeddingUp}},
                                       .rank = Rank};
  return family;
}

}  // namespace weightsmith::adapter_families
