#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerWithin(Lowering&, const Arguments& given) {
  return given.operands[1];
}

}  // namespace

const Operator& within() {
  static const Operator declaration{
      .name = "within",
      .summary = "Takes a step's result for some tensors, and leaves a model's others alone.",
      .doc =
          "What `where` selects is what the step `apply` makes of it. Every other tensor is the "
          "model's, byte for byte, and is read from nowhere else.\n\n"
          "`where` has one key or several, and a tensor has to be like all of them: `component` "
          "(unet, te, clip_l …), `block` (IN04-IN08, layer.0-7, IN04:attn2), `name` (an element "
          "such as attn2, or a regular expression /attn2/), `rank` (the number of dimensions: 1 "
          "for biases and norms, 2 for matrices, 4 for convolutions), `larger_than` and "
          "`smaller_than` (a number of elements: 500K, 1M). A list of places, names or ranks "
          "selects what is like one of them; a list of mappings, what is like one of these. That "
          "nothing is selected is an error.\n\n"
          "The VAE is the model's unless `where` names it, and then what the step gives, which "
          "has to merge VAEs itself (`vae: true`).",
      .formula = "apply where the tensor is selected, else model",
      .source = "Ours; mergekit's filters choose parameters alone",
      .example =
          "x: {op: within, model: photo, apply: style, where: {component: unet, block: IN04-IN08, "
          "name: /attn2/}}",
      .uses = {"merge only attention", "merge only some layers or blocks", "leave biases and norms",
               "limit a step to a component"},
      .operands = {{.name = "model", .doc = "Gives all other tensors."},
                   {.name = "apply", .doc = "The step that gives those which are selected."}},
      .where = "Which tensors the step is for: by component, block, name, rank and size.",
      .expects_effect = false,
      .lower = LowerWithin,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
