#include "recipes/jobs/record-inl.h"

namespace weightsmith::internal {

Json ObjectSchema(std::string_view title, std::string_view doc,
                  std::span<const FieldSchema> fields) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const FieldSchema& field : fields) {
    Json schema = field.schema();
    if (!field.doc.empty()) schema["description"] = field.doc;
    properties[std::string(field.name)] = std::move(schema);
    if (field.required) required.push_back(field.name);
  }
  return {{"title", title},
          {"description", doc},
          {"type", "object"},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"additionalProperties", false}};
}

Json OneOrSeveral(std::string_view name, Json schema) {
  const Json one = {{"$ref", "#/$defs/" + std::string(name)}};
  return {{"anyOf", {one, {{"type", "array"}, {"items", one}}}},
          {"$defs", {{name, std::move(schema)}}}};
}

}  // namespace weightsmith::internal
