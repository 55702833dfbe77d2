#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckTies(const ArgumentsGiven& given) {
  return given.list == 0 ? "`of` is empty: it needs at least one model" : "";
}

/// 1, -1 or 0 for each element.
Value SignOf(Lowering& tape, Value x) {
  const Value there = tape.WhereNotZero(1, x);
  return tape.Blend(2, tape.KeepSign(there, x), -1, there);
}

Value LowerTies(Lowering& tape, const Arguments& given) {
  const Value base = given.operands[0];
  const double density = given.parameters.Number("density");
  std::vector<Value> trimmed;
  Value votes = Value::Zero();
  const bool by_size = given.parameters.Word("sign") == "total";
  for (std::size_t i = 0; i < given.list.size(); ++i) {
    const Value delta = tape.Subtract(given.list[i], base);
    const Value kept =
        density < 1 ? tape.KeepAtLeast(delta, tape.KthLargest(delta, density)) : delta;
    tape.TellShare("kept", kept, Subject::Entry(i));
    trimmed.push_back(tape.Scale(given.weights[i], kept));
    votes = tape.Add(votes, by_size ? trimmed.back() : SignOf(tape, trimmed.back()));
  }
  Value agreed = Value::Zero();
  Value total = Value::Zero();
  Value left_out = Value::Zero();  // all of one sign: no sum of them is 0
  for (std::size_t i = 0; i < trimmed.size(); ++i) {
    const Value kept = tape.KeepSign(trimmed[i], votes);
    agreed = tape.Add(agreed, kept);
    total = tape.Add(total, tape.WhereNotZero(given.weights[i], kept));
    left_out = tape.Add(left_out, tape.Subtract(trimmed[i], kept));
  }
  tape.TellShare("sign conflicts", left_out);
  if (given.parameters.Flag("normalize")) agreed = tape.Quotient(agreed, total);
  return tape.AddScaled(base, given.parameters.Number("lambda"), agreed);
}

}  // namespace

const Operator& ties() {
  static const Operator declaration{
      .name = "ties",
      .summary = "Adds what fine-tunes agree on: the largest changes, of the sign that outweighs.",
      .doc =
          "Of every model's difference to the base the largest elements are kept, as many as "
          "density says, by magnitude over the whole tensor; equal magnitudes at the limit are all "
          "kept. Where models disagree on a sign, elements of one are left out: the sign with the "
          "larger weighted sum counts, or with `sign: frequency` the one that more models have (+ "
          "where both are equal). With normalize each element is divided by the sum of the weights "
          "of the models that are left there.",
      .formula =
          "base + lambda*sum(k_i) / sum(w_i where k_i != 0), k_i = w_i*trim(x_i - base) of the "
          "elected sign",
      .source = "TIES-Merging, arXiv:2306.01708; mergekit's ties",
      .example =
          "mix: {op: ties, base: base, of: [{model: photo, weight: 0.6}, {model: anime, "
          "weight: 0.4}], density: 0.3}",
      .uses = {"combine several fine-tunes of one base", "multi-task language model",
               "resolve conflicts between fine-tunes"},
      .operands = {{.name = "base", .kind = Kind::kWeight, .doc = "What all were trained from."}},
      .list = OperandListSpec{.name = "of",
                              .kind = Kind::kWeight,
                              .weighted = true,
                              .doc = "The fine-tuned models, with a weight each."},
      .result = Kind::kWeight,
      .parameters = {{.name = "density",
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "The share of each difference that is kept."},
                     {.name = "normalize",
                      .type = ParameterType::kBoolean,
                      .default_value = 1.0,
                      .doc = "Whether to divide by the weights that agree."},
                     {.name = "sign",
                      .type = ParameterType::kWord,
                      .default_value = 0,
                      .words = {"total", "frequency"},
                      .doc = "What elects a sign: the sum of the changes, or how many have it."},
                     {.name = "lambda",
                      .default_value = 1.0,
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "A factor for what is added to the base."}},
      .check = CheckTies,
      .lower = LowerTies,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
