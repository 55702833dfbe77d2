#include "core/anatomy/components.h"

namespace weightsmith {
namespace {

PartRow OpenClip(Scale scale, std::string_view name) {
  const std::uint64_t width = ClipGWidth(scale);
  return {.variant = "base",
          .scale = name,
          .layout = "component",
          .synth = "clip_g",
          .component = [scale] { return ClipG(scale, {""}); },
          .signature = {{"transformer.resblocks.0.mlp.c_fc.weight", {4 * width, width}},
                        {"transformer.resblocks.31.mlp.c_fc.weight", {4 * width, width}}}};
}

PartRow HuggingFace(Scale scale, std::string_view name) {
  const std::uint64_t width = ClipGWidth(scale);
  return {.variant = "base",
          .scale = name,
          .layout = "hf",
          .synth = "clip_g-hf",
          .component = [scale] { return ClipGHf(scale, {""}); },
          .signature = {{"text_model.encoder.layers.0.mlp.fc1.weight", {4 * width, width}},
                        {"text_model.encoder.layers.31.mlp.fc1.weight", {4 * width, width}}}};
}

}  // namespace

const Part& clip_g() {
  static const Part part = {
      .id = "clip_g",
      .title = "OpenCLIP bigG text encoder",
      .dtype = DType::kF16,
      .keep_precision = {},
      .prefixes = {""},
      .rows = {OpenClip(Scale::kFull, "full"), HuggingFace(Scale::kFull, "full"),
               OpenClip(Scale::kTiny, "tiny"), HuggingFace(Scale::kTiny, "tiny")}};
  return part;
}

}  // namespace weightsmith
