#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

PartRow Row(Scale scale, std::string_view name) {
  const std::uint64_t width = T5XxlWidth(scale);
  // Norms keep their shapes when weights are quantised. UMT5, which has as many blocks, differs
  // in its vocabulary.
  return {.variant = "base",
          .scale = name,
          .layout = "component",
          .synth = "t5xxl",
          .component = [scale] { return T5Xxl(scale, {""}); },
          .signature = {{"encoder.block.23.layer.1.layer_norm.weight", {width}},
                        {"shared.weight", {scale == Scale::kFull ? 32128u : 256u, width}}}};
}

}  // namespace

const Part& t5xxl() {
  static const Part part = {.id = "t5xxl",
                            .title = "T5 v1.1 XXL encoder",
                            .dtype = DType::kBF16,
                            .keep_precision = {"shared.", "encoder.embed_tokens."},
                            .prefixes = {""},
                            .rows = {Row(Scale::kFull, "full"), Row(Scale::kTiny, "tiny")}};
  return part;
}

}  // namespace weightsmith::internal
