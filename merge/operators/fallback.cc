#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerFallback(Lowering& /*tape*/, const Arguments& given) {
  return given.operands[0];
}

}  // namespace

const Operator& fallback() {
  static const Operator declaration{
      .name = "fallback",
      .summary = "One model, and another for tensors that the first does not have.",
      .doc =
          "Tensors of a stay as they are, byte for byte; what only b has is taken from b. Steps "
          "that need a tensor in all of their models stop at a missing one, unless `policy: "
          "{missing: keep}` says otherwise: this does so for one model alone. What a has in "
          "another shape is an error. A file that lacks the very tensors that its architecture "
          "is known by is taken for one of the other's architecture, where at least half of its "
          "tensors are called as there.",
      .formula = "a, or b where a has no such tensor",
      .source = "sd-mecha's fallback, its operator |",
      .example = "whole: {op: fallback, a: photo, b: base}",
      .uses = {"complete a checkpoint that lacks tensors", "add a missing text encoder or VAE"},
      .operands = {{.name = "a", .kind = Kind::kWeight, .doc = "Has the first say."},
                   {.name = "b", .kind = Kind::kWeight, .doc = "Gives what is missing."}},
      .result = Kind::kWeight,
      .parameters = {VaeParameter()},
      .expects_effect = false,
      .falls_back = true,
      .lower = LowerFallback,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
