#include "merge/arithmetic/task_vectors.h"

#include <algorithm>
#include <cmath>

namespace weightsmith::internal {
namespace {

/// As a sum of weights that may be meant to be 0 comes out in f32.
constexpr double kNoWeight = 1e-8;

}  // namespace

OperandSpec BaseOperand() {
  return {.name = "base", .kind = Kind::kWeight, .doc = "What all were trained from."};
}

OperandListSpec FineTunes(bool weighted) {
  const std::string_view doc =
      weighted ? "The fine-tuned models, with a weight each." : "The fine-tuned models.";
  return {.name = "of", .kind = Kind::kWeight, .weighted = weighted, .doc = doc};
}

ParameterSpec NormalizeParameter(bool by_default, std::string_view doc) {
  return {.name = "normalize",
          .type = ParameterType::kBoolean,
          .default_value = by_default ? 1.0 : 0.0,
          .doc = doc};
}

ParameterSpec LambdaParameter() {
  return {.name = "lambda",
          .default_value = 1.0,
          .by_place = true,
          .low = -10,
          .high = 10,
          .doc = "A factor for what is added to the base."};
}

ParameterSpec SignParameter() {
  return {.name = "sign",
          .type = ParameterType::kWord,
          .default_value = 0,
          .words = {"total", "frequency", "majority"},
          .doc =
              "What elects a sign: the sum of the changes, how many have it, or how many with "
              "nothing kept where the votes are equal."};
}

std::string CheckFineTunes(const ArgumentsGiven& given) {
  return given.list >= 1 ? "" : "`of` is empty: it needs at least one model";
}

std::string CheckTwoFineTunes(const ArgumentsGiven& given) {
  return given.list >= 2 ? "" : "`of` needs at least two models";
}

std::string CheckSumOfWeights(const Arguments& given) {
  if (!given.parameters.Flag("normalize")) return "";
  double total = 0;
  double whole = 1;
  for (const double weight : given.weights) {
    total += weight;
    whole = std::max(whole, std::abs(weight));
  }
  if (std::abs(total) >= kNoWeight * whole) return "";
  return "the weights add up to 0, and `normalize` divides by their sum\n"
         "Change the weights, or write `normalize: false`.";
}

std::string CheckSumOfPresent(const Arguments& given) {
  const bool none = std::ranges::all_of(given.weights, [](double weight) { return weight == 0; });
  return none ? "" : CheckSumOfWeights(given);
}

std::vector<Value> Differences(Lowering& tape, const Arguments& given) {
  std::vector<Value> differences;
  for (const Value model : given.list) {
    differences.push_back(tape.Subtract(model, given.operands[0]));
  }
  return differences;
}

std::vector<Value> Weighted(Lowering& tape, std::span<const Value> terms,
                            std::span<const double> weights) {
  std::vector<Value> weighted;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    weighted.push_back(tape.Scale(weights[i], terms[i]));
  }
  return weighted;
}

Value SumOfTerms(Lowering& tape, std::span<const Value> terms, std::span<const double> weights,
                 bool normalize) {
  Value sum = Value::Zero();
  double total = 0;
  for (const Value term : terms) sum = tape.Add(sum, term);
  for (const double weight : weights) total = tape.Sum(total, weight);
  return normalize ? tape.Divide(sum, total) : sum;
}

Value Votes(Lowering& tape, std::span<const Value> terms, std::string_view sign) {
  Value votes = Value::Zero();
  for (const Value term : terms) {
    votes = tape.Add(votes, sign == "total" ? term : tape.Sign(term));
  }
  return votes;
}

std::vector<Value> OfElectedSign(Lowering& tape, std::span<const Value> terms,
                                 std::string_view sign) {
  const Value votes = Votes(tape, terms, sign);
  std::vector<Value> elected;
  Value left_out = Value::Zero();  // of an element all have one sign: no sum of them is 0
  for (const Value term : terms) {
    const Value kept = tape.KeepSign(term, votes);
    elected.push_back(sign == "majority" ? tape.Choose(votes, kept, Value::Zero()) : kept);
    left_out = tape.Add(left_out, tape.Subtract(term, kept));
  }
  tape.TellShare("sign conflicts", left_out);
  return elected;
}

Value SumOfPresent(Lowering& tape, std::span<const Value> terms, std::span<const double> weights,
                   bool normalize) {
  Value sum = Value::Zero();
  Value total = Value::Zero();
  for (std::size_t i = 0; i < terms.size(); ++i) {
    sum = tape.Add(sum, terms[i]);
    total = tape.Add(total, tape.WhereNotZero(weights[i], terms[i]));
  }
  return normalize ? tape.Quotient(sum, total) : sum;
}

Value AddToBase(Lowering& tape, const Arguments& given, Value sum) {
  return tape.AddScaled(given.operands[0], given.parameters.Number("lambda"), sum);
}

Value AddSum(Lowering& tape, const Arguments& given, std::span<const Value> terms) {
  const std::vector<Value> weighted = Weighted(tape, terms, given.weights);
  return AddToBase(tape, given,
                   SumOfTerms(tape, weighted, given.weights, given.parameters.Flag("normalize")));
}

Value AddAgreed(Lowering& tape, const Arguments& given, std::span<const Value> terms) {
  const std::vector<Value> agreed =
      OfElectedSign(tape, Weighted(tape, terms, given.weights), given.parameters.Word("sign"));
  return AddToBase(tape, given,
                   SumOfPresent(tape, agreed, given.weights, given.parameters.Flag("normalize")));
}

}  // namespace weightsmith::internal
