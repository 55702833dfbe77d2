#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerCopy(Lowering&, const Arguments& given) {
  return given.operands[0];
}

}  // namespace

const Operator& copy() {
  static const Operator declaration{
      .name = "copy",
      .summary = "Gives a model as it is, under another name.",
      .doc =
          "For recipes that only convert: another dtype, other components, shards. Costs nothing.",
      .formula = "a",
      .source = "A1111 checkpoint merger, \"No interpolation\"",
      .example = "out: {op: copy, a: photo}",
      .uses = {"convert or rename without merging", "take a model as it is"},
      .operands = {{.name = "a", .doc = "The model."}},
      .expects_effect = false,
      .lower = LowerCopy,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
