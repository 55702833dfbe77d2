#include "core/model/open_clip_part.h"

namespace weightsmith::internal {

const Part& clip_h() {
  static const Part part = MakeOpenClipPart({.id = "clip_h",
                                             .title = "OpenCLIP ViT-H text encoder",
                                             .synth_hf = "clip_h-hf",
                                             .open_clip = ClipH,
                                             .hugging_face = ClipHHf,
                                             .width = ClipHWidth,
                                             .last_block = "22"});
  return part;
}

}  // namespace weightsmith::internal
