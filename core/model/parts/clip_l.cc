#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

PartRow Row(Scale scale, std::string_view name) {
  const std::uint64_t width = ClipLWidth(scale);
  return {.variant = "base",
          .scale = name,
          .layout = "component",
          .synth = "clip_l",
          .component =
              [scale] {
                ComponentRule rule = ClipL(scale, {""}, PositionIds::kUnusual);
                rule.text.output = ClipOutput::kAsStored;
                return rule;
              },
          .signature = {{"text_model.encoder.layers.0.mlp.fc1.weight", {4 * width, width}},
                        {"text_model.encoder.layers.11.mlp.fc1.weight", {4 * width, width}}}};
}

}  // namespace

const Part& clip_l() {
  static const Part part = {.id = "clip_l",
                            .title = "CLIP-L text encoder",
                            .dtype = DType::kF16,
                            .keep_precision = {},
                            .prefixes = {""},
                            .rows = {Row(Scale::kFull, "full"), Row(Scale::kTiny, "tiny")}};
  return part;
}

}  // namespace weightsmith::internal
