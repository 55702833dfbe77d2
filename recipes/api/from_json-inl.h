// Results of the public API, read out of the JSON that commands print: a result has the fields of
// its table (recipes/jobs/record-inl.h), and no other code copies them. `VisitMembers`, for each
// struct in members/, says which member a field is.
#pragma once

#include <weightsmith/tensor.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/json-inl.h"

namespace weightsmith::internal {

/// The value of a T. What is none of the types below is a struct with a VisitMembers.
template <class T>
struct FromJson;

/// Takes the fields of an object into members. One that is left out leaves the member as it is.
class MemberReader {
 public:
  explicit MemberReader(const Json& object) : object_(object) {}

  template <class T>
  void operator()(std::string_view name, T& member) const {
    const auto field = object_.find(name);
    if (field != object_.end()) member = FromJson<T>::Read(*field);
  }

 private:
  const Json& object_;
};

template <class T>
struct FromJson {
  static T Read(const Json& json) {
    T value;
    VisitMembers(value, MemberReader(json));
    return value;
  }
};

template <class T>
requires std::is_arithmetic_v<T> || std::same_as<T, std::string>
struct FromJson<T> {
  static T Read(const Json& json) { return json.get<T>(); }
};

template <>
struct FromJson<std::filesystem::path> {
  static std::filesystem::path Read(const Json& json) { return json.get<std::string>(); }
};

template <>
struct FromJson<DType> {
  static DType Read(const Json& json) { return DTypeByName(json.get<std::string>()).value(); }
};

template <class T>
struct FromJson<std::optional<T>> {
  static std::optional<T> Read(const Json& json) {
    if (json.is_null()) return std::nullopt;
    return FromJson<T>::Read(json);
  }
};

template <class T>
struct FromJson<std::vector<T>> {
  static std::vector<T> Read(const Json& json) {
    std::vector<T> values;
    values.reserve(json.size());
    for (const Json& item : json) values.push_back(FromJson<T>::Read(item));
    return values;
  }
};

template <class Name, class T>
struct FromJson<std::map<Name, T>> {
  static std::map<Name, T> Read(const Json& json) {
    std::map<Name, T> values;
    for (const auto& [name, value] : json.items()) {
      values.emplace(FromJson<Name>::Read(name), FromJson<T>::Read(value));
    }
    return values;
  }
};

}  // namespace weightsmith::internal
