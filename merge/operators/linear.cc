#include "merge/arithmetic/task_vectors.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckLinear(const ArgumentsGiven& given) {
  return given.list == 0 ? "`of` is empty: it needs at least one operand" : "";
}

struct Term {
  double weight;
  Value operand;
};

/// The terms that count: neither the weight nor the operand is zero.
std::vector<Term> Terms(const Lowering& tape, const Arguments& given) {
  std::vector<Term> terms;
  for (std::size_t i = 0; i < given.list.size(); ++i) {
    if (tape.Round(given.weights[i]) == 0 || given.list[i].zero()) continue;
    terms.push_back({given.weights[i], given.list[i]});
  }
  return terms;
}

/// Σ wᵢxᵢ, left to right. The first two terms are one instruction: the same bits, a tile less.
Value Sum(Lowering& tape, std::span<const Term> terms) {
  if (terms.empty()) return Value::Zero();
  if (terms.size() == 1) return tape.Scale(terms[0].weight, terms[0].operand);
  Value sum = tape.Blend(terms[0].weight, terms[0].operand, terms[1].weight, terms[1].operand);
  for (const Term& term : terms.subspan(2)) sum = tape.AddScaled(sum, term.weight, term.operand);
  return sum;
}

Value LowerLinear(Lowering& tape, const Arguments& given) {
  const Value sum = Sum(tape, Terms(tape, given));
  if (!given.parameters.Flag("normalize")) return sum;
  double total = 0;
  for (const double weight : given.weights) total = tape.Sum(total, weight);
  return tape.Divide(sum, total);
}

}  // namespace

const Operator& linear() {
  static const Operator declaration{
      .name = "linear",
      .summary = "The weighted sum of any number of models.",
      .doc =
          "Terms are added from left to right. With normalize the sum is divided by the sum of the "
          "weights, so that weights are shares of any scale. Without it the weights are taken as "
          "they are: of models they should add up to 1, of differences they need not.\n\n"
          "An operand whose weight is exactly 0 is not read.",
      .formula = "w0*x0 + w1*x1 + ..., left to right; with normalize divided by w0 + w1 + ...",
      .source =
          "Model soups, arXiv:2203.05482; mergekit's linear (whose normalize is on by default)",
      .example =
          "soup: {op: linear, of: [{model: photo, weight: 0.7}, {model: anime, weight: 0.3}]}",
      .uses = {"weighted blend of several models", "model soup", "extrapolate away from a model"},
      .list =
          OperandListSpec{.name = "of", .weighted = true, .doc = "The terms, with a weight each."},
      .parameters = {{.name = "normalize",
                      .type = ParameterType::kBoolean,
                      .default_value = 0.0,
                      .doc = "Whether to divide by the sum of the weights."}},
      .check = CheckLinear,
      .check_tensor = CheckSumOfWeights,
      .lower = LowerLinear,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
