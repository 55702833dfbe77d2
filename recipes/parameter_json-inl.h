// Parameters of operators as JSON has them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/json-inl.h"
#include "merge/operator.h"

namespace weightsmith::internal {

/// The value that a parameter has where it is left out; null for none.
inline Json DefaultOf(const ParameterSpec& parameter) {
  if (!parameter.default_value) return nullptr;
  const double value = *parameter.default_value;
  switch (parameter.type) {
    case ParameterType::kNumber:
      return value;
    case ParameterType::kBoolean:
      return value != 0;
    case ParameterType::kWord:
      return parameter.words[static_cast<std::size_t>(value)];
    case ParameterType::kSeed:
      return static_cast<std::uint64_t>(value);
  }
  return nullptr;
}

}  // namespace weightsmith::internal
