// How values of C++ stand in JSON, and the schema of what they give: by their type.
#pragma once

#include <cmath>
#include <concepts>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/json-inl.h"
#include "core/io/hash.h"

namespace weightsmith::internal {

template <class T>
class Record;

/// The table of fields of a class. It is specialised beside the job that gives such results; one
/// that is used and not defined is an error of the linker.
template <class T>
const Record<T>& RecordOf();

/// `Schema()` and `Write(value)`. What is none of the types below is a class with a table.
template <class T>
struct JsonValue {
  static Json Schema() { return RecordOf<T>().Schema(); }
  static Json Write(const T& value) { return RecordOf<T>().Write(value); }
};

template <>
struct JsonValue<bool> {
  static Json Schema() { return {{"type", "boolean"}}; }
  static Json Write(bool value) { return value; }
};

template <std::unsigned_integral T>
struct JsonValue<T> {
  static Json Schema() { return {{"type", "integer"}, {"minimum", 0}}; }
  static Json Write(T value) { return value; }
};

template <std::signed_integral T>
struct JsonValue<T> {
  static Json Schema() { return {{"type", "integer"}}; }
  static Json Write(T value) { return value; }
};

/// One that is not finite is printed as null: where it may come, the type is a std::optional.
template <>
struct JsonValue<double> {
  static Json Schema() { return {{"type", "number"}}; }
  static Json Write(double value) { return value; }
};

/// The number; nothing where it is not finite.
inline std::optional<double> IfFinite(double number) {
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

template <class T>
requires std::convertible_to<const T&, std::string_view>
struct JsonValue<T> {
  static Json Schema() { return {{"type", "string"}}; }
  static Json Write(std::string_view value) { return value; }
};

template <>
struct JsonValue<std::filesystem::path> {
  static Json Schema() { return {{"type", "string"}}; }
  static Json Write(const std::filesystem::path& value) { return value.string(); }
};

/// An enumeration by its words.
template <class T>
requires std::is_enum_v<T>
struct JsonValue<T> {
  static Json Schema() { return {{"type", "string"}}; }
  static Json Write(T value) { return ToString(value); }
};

template <>
struct JsonValue<Digest> {
  static Json Schema() { return {{"type", "string"}, {"pattern", "^[0-9a-f]{32}$"}}; }
  static Json Write(const Digest& value) { return value.ToHex(); }
};

/// What is already JSON, of any type.
template <>
struct JsonValue<Json> {
  static Json Schema() { return Json::object(); }
  static Json Write(Json value) { return value; }
};

/// The same or null.
Json NullableSchema(Json schema);

template <class T>
struct JsonValue<std::optional<T>> {
  static Json Schema() { return NullableSchema(JsonValue<T>::Schema()); }
  static Json Write(const std::optional<T>& value) {
    return value ? JsonValue<T>::Write(*value) : Json();
  }
};

/// What stands elsewhere. REQUIRES: not null.
template <class T>
requires std::is_class_v<T>
struct JsonValue<const T*> {
  static Json Schema() { return JsonValue<T>::Schema(); }
  static Json Write(const T* value) { return JsonValue<T>::Write(*value); }
};

/// Lists: of any type that is iterated.
template <class List, class T>
struct JsonList {
  static Json Schema() { return {{"type", "array"}, {"items", JsonValue<T>::Schema()}}; }
  static Json Write(const List& list) {
    Json json = Json::array();
    for (const auto& value : list) json.push_back(JsonValue<T>::Write(value));
    return json;
  }
};

template <class T>
struct JsonValue<std::vector<T>> : JsonList<std::vector<T>, T> {};
template <class T>
struct JsonValue<std::span<T>> : JsonList<std::span<T>, std::remove_const_t<T>> {};
template <class T>
struct JsonValue<std::set<T>> : JsonList<std::set<T>, T> {};

/// Objects by names that are data.
template <class Map, class Name, class T>
struct JsonMap {
  static Json Schema() {
    return {{"type", "object"}, {"additionalProperties", JsonValue<T>::Schema()}};
  }
  static Json Write(const Map& map) {
    Json json = Json::object();
    for (const auto& [name, value] : map) {
      json[JsonValue<Name>::Write(name).template get<std::string>()] = JsonValue<T>::Write(value);
    }
    return json;
  }
};

template <class Name, class T>
struct JsonValue<std::map<Name, T>> : JsonMap<std::map<Name, T>, Name, T> {};
/// In an order of its own.
template <class Name, class T>
struct JsonValue<std::vector<std::pair<Name, T>>>
    : JsonMap<std::vector<std::pair<Name, T>>, Name, T> {};

}  // namespace weightsmith::internal
