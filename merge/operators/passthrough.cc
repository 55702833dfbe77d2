#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerPassthrough(Lowering& tape, const Arguments& given) {
  return tape.Scale(given.parameters.Number("scale"), given.operands[0]);
}

}  // namespace

const Operator& passthrough() {
  static const Operator declaration{
      .name = "passthrough",
      .summary = "Gives a model as it is, or with some weights scaled.",
      .doc =
          "For parts of a model that are to be weaker, stronger or silent: a matrix that is scaled "
          "to 0 adds nothing. Where the scale is 1 the model is copied byte for byte. Layers of "
          "one model behind those of another are op: stack.",
      .formula = "scale*a",
      .source = "mergekit's passthrough",
      .example = "x: {op: passthrough, a: photo, scale: {default: 1, \"layer.8-15:o_proj\": 0.5}}",
      .uses = {"scale or silence some weights of a model", "damp repeated layers"},
      .operands = {{.name = "a", .kind = Kind::kWeight, .doc = "The model."}},
      .result = Kind::kWeight,
      .parameters = {{.name = "scale",
                      .default_value = 1.0,
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "What the weights are multiplied by."}},
      .expects_effect = false,
      .lower = LowerPassthrough,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
