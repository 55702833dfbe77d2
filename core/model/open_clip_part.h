// The parts clip_g and clip_h: one encoder in two namings, at two scales.
#pragma once

#include <string>
#include <string_view>

#include "core/model/components.h"

namespace weightsmith::internal {

struct OpenClipPart {
  std::string_view id;
  std::string_view title;
  std::string_view synth_hf;
  ComponentRule (*open_clip)(Scale, std::vector<std::string>);
  ComponentRule (*hugging_face)(Scale, std::vector<std::string>);
  std::uint64_t (*width)(Scale);
  std::string_view last_block;  ///< that all of its files have: "31"
};

inline Part MakeOpenClipPart(const OpenClipPart& encoder) {
  Part part = {.id = encoder.id,
               .title = encoder.title,
               .dtype = DType::kF16,
               .keep_precision = {},
               .prefixes = {""},
               .rows = {}};
  for (const Scale scale : {Scale::kFull, Scale::kTiny}) {
    for (const bool hugging_face : {false, true}) {
      const auto build = hugging_face ? encoder.hugging_face : encoder.open_clip;
      const std::uint64_t width = encoder.width(scale);
      const std::string before =
          hugging_face ? "text_model.encoder.layers." : "transformer.resblocks.";
      const std::string behind = hugging_face ? ".mlp.fc1.weight" : ".mlp.c_fc.weight";
      part.rows.push_back(
          {.variant = "base",
           .scale = ToString(scale),
           .layout = hugging_face ? "hf" : "component",
           .synth = hugging_face ? encoder.synth_hf : encoder.id,
           .component = [=] { return build(scale, {""}); },
           .signature = {{before + "0" + behind, {4 * width, width}},
                         {before + std::string(encoder.last_block) + behind, {4 * width, width}}}});
    }
  }
  return part;
}

}  // namespace weightsmith::internal
