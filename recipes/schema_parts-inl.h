// What JSON Schemas of recipes are put together from.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json-inl.h"

namespace weightsmith::internal {

/// Of a name under "$defs".
inline Json Ref(std::string_view name) {
  return {{"$ref", fmt::format("#/$defs/{}", name)}};
}

inline Json AnyOf(std::vector<Json> choices) {
  return {{"anyOf", std::move(choices)}};
}

inline Json Described(Json schema, std::string_view doc) {
  if (!doc.empty()) schema["description"] = doc;
  return schema;
}

inline Json Object(Json properties, const std::vector<std::string>& required = {}) {
  Json object = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) object["required"] = required;
  object["additionalProperties"] = false;
  return object;
}

inline Json MapOf(Json values) {
  return {{"type", "object"}, {"additionalProperties", std::move(values)}};
}

inline Json NamesTo(std::string_view names, Json values) {
  Json map = MapOf(std::move(values));
  map["propertyNames"] = Ref(names);
  return map;
}

inline Json ListOf(Json items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}

/// A variable can stand for any whole value.
inline Json OrVariable(Json schema) {
  return AnyOf({std::move(schema), Ref("variable")});
}

inline Json Words(std::vector<std::string> words) {
  return {{"enum", std::move(words)}};
}

inline Json Pattern(std::string pattern) {
  return {{"type", "string"}, {"pattern", std::move(pattern)}};
}

/// Rows of one place at least.
inline Json ByPlace(Json values) {
  Json rows = NamesTo("place", std::move(values));
  rows["minProperties"] = 1;
  return rows;
}

}  // namespace weightsmith::internal
