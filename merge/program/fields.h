// The fields of a struct as numbers, in the order of their declaration: they tell one set of
// parameters from another. A field that is added to a struct is among them.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <type_traits>
#include <vector>

namespace weightsmith::internal {

/// How many fields a struct without base classes has. Up to eight.
template <class Struct>
consteval std::size_t FieldCount() {
  static_assert(std::is_aggregate_v<Struct> && !std::is_array_v<Struct>);
  static_assert(!requires { Struct{{}, {}, {}, {}, {}, {}, {}, {}, {}}; });
  // clang-format off
  if constexpr (requires { Struct{{}, {}, {}, {}, {}, {}, {}, {}}; }) return 8;
  else if constexpr (requires { Struct{{}, {}, {}, {}, {}, {}, {}}; }) return 7;
  else if constexpr (requires { Struct{{}, {}, {}, {}, {}, {}}; }) return 6;
  else if constexpr (requires { Struct{{}, {}, {}, {}, {}}; }) return 5;
  else if constexpr (requires { Struct{{}, {}, {}, {}}; }) return 4;
  else if constexpr (requires { Struct{{}, {}, {}}; }) return 3;
  else if constexpr (requires { Struct{{}, {}}; }) return 2;
  else if constexpr (requires { Struct{{}}; }) return 1;
  else return 0;
  // clang-format on
}

/// Calls `use` with all fields.
template <class Struct, class Use>
void WithFields(const Struct& s, const Use& use) {
  constexpr std::size_t kCount = FieldCount<Struct>();
  if constexpr (kCount == 0) {
    use();
  } else if constexpr (kCount == 1) {
    const auto& [a] = s;
    use(a);
  } else if constexpr (kCount == 2) {
    const auto& [a, b] = s;
    use(a, b);
  } else if constexpr (kCount == 3) {
    const auto& [a, b, c] = s;
    use(a, b, c);
  } else if constexpr (kCount == 4) {
    const auto& [a, b, c, d] = s;
    use(a, b, c, d);
  } else if constexpr (kCount == 5) {
    const auto& [a, b, c, d, e] = s;
    use(a, b, c, d, e);
  } else if constexpr (kCount == 6) {
    const auto& [a, b, c, d, e, f] = s;
    use(a, b, c, d, e, f);
  } else if constexpr (kCount == 7) {
    const auto& [a, b, c, d, e, f, g] = s;
    use(a, b, c, d, e, f, g);
  } else {
    const auto& [a, b, c, d, e, f, g, h] = s;
    use(a, b, c, d, e, f, g, h);
  }
}

/// Appends a number, a truth value (1 or 0), a value of an enumeration, or the fields of a struct.
template <class Value>
void AppendNumbers(const Value& value, std::vector<double>& numbers);
/// NaN for none.
template <class Value>
void AppendNumbers(const std::optional<Value>& value, std::vector<double>& numbers) {
  numbers.push_back(value ? static_cast<double>(*value) : std::numeric_limits<double>::quiet_NaN());
}
/// One behind the other.
template <class Value>
void AppendNumbers(const std::vector<Value>& values, std::vector<double>& numbers) {
  for (const Value& value : values) AppendNumbers(value, numbers);
}
template <class Value>
void AppendNumbers(const Value& value, std::vector<double>& numbers) {
  if constexpr (std::is_arithmetic_v<Value> || std::is_enum_v<Value>) {
    numbers.push_back(static_cast<double>(value));
  } else {
    WithFields(value, [&](const auto&... fields) { (AppendNumbers(fields, numbers), ...); });
  }
}

template <class Struct>
std::vector<double> NumbersOfFields(const Struct& s) {
  std::vector<double> numbers;
  AppendNumbers(s, numbers);
  return numbers;
}

}  // namespace weightsmith::internal
