#include "core/model/open_clip_part.h"

namespace weightsmith::internal {

const Part& clip_g() {
  static const Part part = MakeOpenClipPart({.id = "clip_g",
                                             .title = "OpenCLIP bigG text encoder",
                                             .synth_hf = "clip_g-hf",
                                             .open_clip = ClipG,
                                             .hugging_face = ClipGHf,
                                             .width = ClipGWidth,
                                             .last_block = "31"});
  return part;
}

}  // namespace weightsmith::internal
