#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckBake(const ArgumentsGiven& given) {
  return given.list == 0 ? "`adapters` is empty: it needs at least one" : "";
}

Value LowerBake(Lowering& tape, const Arguments& given) {
  Value value = given.operands[0];
  for (std::size_t i = 0; i < given.list.size(); ++i) {
    value = tape.AddScaled(value, given.weights[i], given.list[i]);
  }
  return value;
}

}  // namespace

const Operator& bake() {
  static const Operator declaration{
      .name = "bake",
      .summary = "A model with adapters (LoRA and its relatives) baked into it.",
      .doc =
          "Every adapter is added with its strength: a number, or weights by place. All of them "
          "are "
          "computed and added in f32 and rounded once. Families that multiply the weights (DoRA, "
          "GLoRA, IA3, OFT, BOFT) see the model as it is before this step's adapters, "
          "unrounded.\n\n"
          "Every module of an adapter must be for the model. Modules for a component that the "
          "model "
          "does not carry are told; modules that are for nothing are an error, unless "
          "`allow_unmatched` of the adapter names them.",
      .formula = "model + s0*d0 + s1*d1 + ..., left to right",
      .source = "LoRA, arXiv:2106.09685; kohya sd-scripts, LyCORIS, PEFT, ComfyUI",
      .example =
          "out: {op: bake, model: photo, adapters: [\"detail:0.6\", {use: style, strength: "
          "{default: 0.8, te: 0}}]}",
      .uses = {"put LoRAs and other adapters into a model", "merge adapters"},
      .operands = {{.name = "model", .kind = Kind::kWeight, .doc = "What they are baked into."}},
      .list = OperandListSpec{.name = "adapters",
                              .kind = Kind::kDelta,
                              .weighted = true,
                              .doc = "Adapters: NAME, NAME:STRENGTH, NAME:STRENGTH:TE_STRENGTH or "
                                     "{use: NAME, strength: …}.",
                              .adapters = true},
      .result = Kind::kWeight,
      .check = CheckBake,
      .lower = LowerBake,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
