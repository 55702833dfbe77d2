#include "merge/operator.h"

#include <algorithm>
#include <utility>

namespace weightsmith {

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

OperatorClass ClassOf(const Operator& op) {
  constexpr std::size_t kList = 2;
  constexpr double kBetween = 0.5;  // of a parameter; at its ends much is folded away
  std::vector<Value> values;
  for (Register r = 0; r < op.operands.size() + kList; ++r) values.push_back(Value::Of(r));
  std::vector<double> parameters;
  for (const ParameterSpec& parameter : op.parameters) {
    parameters.push_back(parameter.type == ParameterType::kBoolean
                             ? parameter.default_value.value_or(0)
                             : std::clamp(kBetween, parameter.low, parameter.high));
  }
  const std::vector<double> weights(kList, kBetween);
  const std::span<const Value> all = values;
  Lowering tape(Precision::kF32, static_cast<Register>(values.size()));
  const std::size_t listed = op.list ? (op.list->adapters ? 1 : kList) : 0;
  const Value result =
      op.lower(tape, {all.first(op.operands.size()), all.subspan(op.operands.size(), listed),
                      std::span(weights).first(listed), parameters});
  const Lowering::Finished finished = std::move(tape).Finish(std::span(&result, 1));
  if (finished.kept_count > 0) return OperatorClass::kWhole;
  return finished.passes.empty() ? OperatorClass::kElementwise : OperatorClass::kReduced;
}

ParameterSpec VaeParameter() {
  return {.name = "vae",
          .type = ParameterType::kBoolean,
          .optional = true,
          .low = 0,
          .high = 1,
          .doc = "Whether the VAE is computed as well; otherwise it is that of the leftmost model.",
          .for_vae = true};
}

const Operator* FindOperator(std::string_view name) {
  const auto all = Operators();
  const auto found = std::ranges::lower_bound(all, name, {}, &Operator::name);
  return found != all.end() && (*found)->name == name ? *found : nullptr;
}

}  // namespace weightsmith
