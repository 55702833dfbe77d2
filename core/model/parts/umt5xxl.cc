#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

PartRow Row(Scale scale, std::uint64_t vocabulary, std::uint64_t width) {
  return {.variant = "base",
          .scale = ToString(scale),
          .layout = "component",
          .synth = "umt5xxl",
          .component = [scale] { return Umt5Xxl(scale, {""}); },
          .signature = {{"encoder.block.23.layer.1.layer_norm.weight", {width}},
                        {"shared.weight", {vocabulary, width}}}};
}

}  // namespace

const Part& umt5xxl() {
  static const Part part = {.id = "umt5xxl",
                            .title = "UMT5 XXL encoder",
                            .dtype = DType::kF16,
                            .keep_precision = {"shared.", "encoder.embed_tokens."},
                            .prefixes = {""},
                            .rows = {Row(Scale::kFull, 256384, 4096), Row(Scale::kTiny, 260, 32)}};
  return part;
}

}  // namespace weightsmith::internal
