#include "merge/expression/expression.h"

#include <algorithm>

namespace weightsmith::internal {

std::optional<std::uint64_t> SeedOf(const Node& step) {
  const auto& specs = step.op->parameters;
  const auto found = std::ranges::find(specs, ParameterType::kSeed, &ParameterSpec::type);
  if (found == specs.end()) return std::nullopt;
  const auto number = step.parameters[static_cast<std::size_t>(found - specs.begin())].everywhere();
  return number ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
}

bool SharesSeed(const Node& step) {
  const auto& specs = step.op->parameters;
  const auto found = std::ranges::find(specs, "seed_shared", &ParameterSpec::name);
  if (found == specs.end()) return false;
  return step.parameters[static_cast<std::size_t>(found - specs.begin())].everywhere() == 1.0;
}

}  // namespace weightsmith::internal
