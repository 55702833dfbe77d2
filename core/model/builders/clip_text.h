// CLIP's text encoder, in the two namings in which it is found.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model/architecture.h"

namespace weightsmith::internal {

struct ClipText {
  std::uint64_t layers;
  std::uint64_t width;
  std::uint64_t vocabulary;
};

/// Hugging Face's names. position_ids, logit_scale and text_projection are optional; `usual`
/// says which of the two most common ones published files have.
struct ClipTextUsual {
  bool position_ids = false;
  bool projection = false;
};
std::vector<TensorRule> BuildClipText(const ClipText& clip, const ClipTextUsual& usual);

/// OpenCLIP's names: q, k and v in one matrix, the projection transposed.
std::vector<TensorRule> BuildOpenClipText(const ClipText& clip);

}  // namespace weightsmith::internal
