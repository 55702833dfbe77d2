#include "merge/operator.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace weightsmith::internal {

std::string_view ToString(Kind kind) {
  switch (kind) {
    case Kind::kWeight:
      return "weight";
    case Kind::kDelta:
      return "delta";
    case Kind::kSame:
      return "K";
  }
  return "";
}

std::string_view ToString(OperatorClass form) {
  switch (form) {
    case OperatorClass::kElementwise:
      return "elementwise";
    case OperatorClass::kReduced:
      return "reduced";
    case OperatorClass::kWhole:
      return "whole tensor";
  }
  return "";
}

std::string_view ToString(ParameterType type) {
  switch (type) {
    case ParameterType::kNumber:
      return "number";
    case ParameterType::kBoolean:
      return "boolean";
    case ParameterType::kWord:
      return "word";
    case ParameterType::kSeed:
      return "seed";
  }
  return "";
}

std::size_t ParameterValues::Find(std::string_view name, ParameterType type) const {
  const auto found = std::ranges::find(specs_, name, &ParameterSpec::name);
  if (found == specs_.end() || found->type != type) {
    throw std::logic_error("an operator asks for a parameter that it does not declare");
  }
  return static_cast<std::size_t>(found - specs_.begin());
}

std::optional<double> ParameterValues::NumberIfGiven(std::string_view name) const {
  const double value = Number(name);
  return std::isnan(value) ? std::nullopt : std::optional(value);
}

std::string_view ParameterValues::Word(std::string_view name) const {
  const std::size_t index = Find(name, ParameterType::kWord);
  return specs_[index].words[static_cast<std::size_t>(values_[index])];
}

std::uint64_t ParameterValues::Seed(std::string_view name) const {
  return static_cast<std::uint64_t>(Value(name, ParameterType::kSeed));
}

std::optional<double> EntryValues::Number(std::string_view name, std::size_t entry) const {
  const auto found =
      std::ranges::find_if(specs_, [&](const ParameterSpec* spec) { return spec->name == name; });
  if (found == specs_.end()) return std::nullopt;
  const auto column = static_cast<std::size_t>(found - specs_.begin());
  const double value = values_[entry * specs_.size() + column];
  if (!std::isnan(value)) return value;
  return (*found)->by_entry ? std::nullopt : (*found)->default_value;
}

bool ArgumentsGiven::Has(std::string_view parameter) const {
  return std::ranges::find(parameters, parameter) != parameters.end();
}

std::size_t RequiredOperands(const Operator& op) {
  return static_cast<std::size_t>(std::ranges::count(op.operands, false, &OperandSpec::optional));
}

std::vector<const ParameterSpec*> EntryNumbers(const Operator& op) {
  std::vector<const ParameterSpec*> specs;
  if (op.list) {
    for (const ParameterSpec& number : op.list->numbers) specs.push_back(&number);
  }
  for (const ParameterSpec& parameter : op.parameters) {
    if (parameter.by_entry) specs.push_back(&parameter);
  }
  return specs;
}

OperatorClass ClassOf(const Operator& op) {
  constexpr std::size_t kList = 2;
  constexpr double kBetween = 0.5;  // of a parameter; at its ends much is folded away
  std::vector<Value> values;
  for (std::size_t r = 0; r < op.operands.size() + kList; ++r) {
    values.push_back(Value::Of(static_cast<Register>(r)));
  }
  std::vector<double> parameters;
  for (const ParameterSpec& parameter : op.parameters) {
    parameters.push_back(parameter.type == ParameterType::kNumber
                             ? std::clamp(kBetween, parameter.low, parameter.high)
                             : parameter.default_value.value_or(0));
  }
  const std::vector<double> weights(kList, kBetween);
  const std::vector<const ParameterSpec*> specs = EntryNumbers(op);
  std::vector<double> entries;
  for (std::size_t i = 0; i < kList; ++i) {
    for (const ParameterSpec* spec : specs) {
      entries.push_back(std::clamp(kBetween, spec->low, spec->high));
    }
  }
  const std::span<const Value> all = values;
  Lowering tape(Precision::kF32, static_cast<Register>(values.size()));
  const std::size_t listed = op.list ? (op.list->adapters ? 1 : kList) : 0;
  const Value result =
      op.lower(tape, {all.first(op.operands.size()), all.subspan(op.operands.size(), listed),
                      std::span(weights).first(listed), ParameterValues(op.parameters, parameters),
                      EntryValues(specs, entries), Shape{2, 2}});
  const Lowering::Finished finished = std::move(tape).Finish(std::span(&result, 1));
  if (finished.kept_count > finished.rows.size()) return OperatorClass::kWhole;
  const bool elementwise = finished.passes.empty() && finished.rows.empty();
  return elementwise ? OperatorClass::kElementwise : OperatorClass::kReduced;
}

ParameterSpec VaeParameter() {
  return {.name = "vae",
          .type = ParameterType::kBoolean,
          .optional = true,
          .doc = "Whether the VAE is computed as well; otherwise it is that of the leftmost model.",
          .for_vae = true};
}

ParameterSpec SeedParameter() {
  return {.name = "seed",
          .type = ParameterType::kSeed,
          .default_value = 0.0,
          .doc = "Of the random numbers: the same seed gives the same bytes."};
}

ParameterSpec SeedSharedParameter() {
  return {.name = "seed_shared",
          .type = ParameterType::kBoolean,
          .default_value = 0.0,
          .doc = "Whether another step of the recipe may have the same seed."};
}

const Operator* FindOperator(std::string_view name) {
  const auto all = Operators();
  const auto found = std::ranges::lower_bound(all, name, {}, &Operator::name);
  return found != all.end() && (*found)->name == name ? *found : nullptr;
}

}  // namespace weightsmith::internal
