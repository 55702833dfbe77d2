#include "recipes/jobs/json_value-inl.h"

namespace weightsmith::internal {

Json NullableSchema(Json schema) {
  const Json& type = schema["type"];
  if (type == "object" || type == "array") return {{"anyOf", {schema, {{"type", "null"}}}}};
  schema["type"] = {type, "null"};
  return schema;
}

}  // namespace weightsmith::internal
