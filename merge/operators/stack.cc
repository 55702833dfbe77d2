#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckStack(const ArgumentsGiven& given) {
  return given.list == 0 ? "`of` is empty: it needs at least one model" : "";
}

Value LowerStack(Lowering&, const Arguments& given) {
  return given.operands[0];
}

}  // namespace

const Operator& stack() {
  static const Operator declaration{
      .name = "stack",
      .summary = "Puts layers of language models one on the other, numbered anew.",
      .doc =
          "Each entry gives the layers from the first to the last of its range, both included, or "
          "all of them; the result has them in the order in which they are written. A layer may "
          "come more than once, and from any step. `scale` multiplies the weights of an entry's "
          "layers, everywhere or by place, in the numbers that its model has: {default: 1, "
          "default:o_proj: 0.5}. An entry whose scale is 1 is copied byte for byte.\n\n"
          "What stands before the layers is the first entry's, the last norm and the head are the "
          "last entry's, both without its scale, unless `embed` and `head` name another model.\n\n"
          "With `files_from` in the output, its config.json gets the number of layers, and what it "
          "says layer by layer (layer_types and the like) from the config.json beside the model "
          "that a layer comes from.\n\n"
          "A stack is written, or stacked again; other steps go into its entries.",
      .formula = "layer i of the result = scale * layer n of the entry that it comes from",
      .source = "mergekit's passthrough",
      .example = "x: {op: stack, of: [{model: photo, layers: 0-15}, {model: anime, layers: 8-31}]}",
      .uses = {"make a deeper language model", "frankenmerge", "remove or repeat layers",
               "depth up-scaling"},
      .operands = {{.name = "embed",
                    .kind = Kind::kWeight,
                    .doc = "Gives what stands before the layers; else the first entry does.",
                    .optional = true,
                    .left_out = OperandDefault::kFirst},
                   {.name = "head",
                    .kind = Kind::kWeight,
                    .doc = "Gives the last norm and the head; else the last entry does.",
                    .optional = true,
                    .left_out = OperandDefault::kLast}},
      .list = OperandListSpec{.name = "of",
                              .kind = Kind::kWeight,
                              .doc = "Models, or steps, with the layers that are taken of each.",
                              .layers = true},
      .result = Kind::kWeight,
      .expects_effect = false,
      .check = CheckStack,
      .lower = LowerStack,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
