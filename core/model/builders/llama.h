// Language models of Llama's form: embedding, layers of attention and a gated MLP between RMS
// norms, final norm, and a head of its own or the embedding's.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/model/architecture.h"
#include "core/model/builders/rule_list.h"

namespace weightsmith::internal {

/// What tells a family from the others of this form.
struct LlamaTraits {
  Bias attention_bias = Bias::kNo;  ///< q, k and v have biases
  bool qk_norm = false;             ///< queries and keys are normalised
  bool sandwich_norms = false;      ///< the MLP has norms of its own before and behind it
};

/// Sizes, which differ from model to model.
struct LlamaSizes {
  std::uint64_t vocabulary, hidden, intermediate, layers;
  std::uint64_t query;  ///< heads × width of a head
  std::uint64_t key;    ///< the same of keys and values
  std::uint64_t head;   ///< width of a head; only where queries are normalised
  bool tied;            ///< the embedding is the head
  bool operator==(const LlamaSizes&) const = default;
};

/// A whole family by its traits, the sizes of a published model and tiny ones.
/// `accept`: what else the sizes must be, where traits do not tell.
struct LlamaFamily {
  std::string_view id, title;
  LlamaTraits traits;
  LlamaSizes published, tiny;
  bool (*accept)(const LlamaSizes&) = nullptr;
  std::string_view form = {};  ///< empty: the id
};
Architecture LlamaArchitecture(const LlamaFamily& family);

}  // namespace weightsmith::internal
