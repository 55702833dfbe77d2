#include "recipes/schema.h"

#include <cstddef>
#include <string>

#include "core/base/json-inl.h"
#include "recipes/jobs/adapter_info_json-inl.h"
#include "recipes/jobs/checkpoint_info_json.h"
#include "recipes/jobs/plan_json.h"
#include "recipes/jobs/report_json.h"
#include "recipes/jobs/scan_json.h"
#include "recipes/jobs/verification_json.h"
#include "recipes/recipe_schema.h"

namespace weightsmith::internal {
namespace {

constexpr NamedSchema kSchemas[] = {
    {"info", "What `info` prints as JSON", InfoSchema},
    {"lora", "What `lora` prints as JSON", AdapterInfoSchema},
    {"plan", "What `plan` prints as JSON", PlanSchema},
    {"recipe", "A recipe of weightsmith", RecipeSchema},
    {"report", "The report of a merge, as JSON", ReportSchema},
    {"scan", "What `scan` prints as JSON", ScanSchema},
    {"verify", "What `verify` prints as JSON", VerificationSchema},
};

std::string OnOneLine(const Json& json) {
  if (!json.is_structured()) return json.dump();
  std::string text;
  for (const auto& [key, value] : json.items()) {
    if (!text.empty()) text += ", ";
    if (json.is_object()) text += Json(key).dump() + ": ";
    text += OnOneLine(value);
  }
  return json.is_object() ? "{" + text + "}" : "[" + text + "]";
}

/// What fits on a line stands on it, so that a schema of many small parts is short. `before` is how
/// much of the line is taken.
std::string OnLines(const Json& json, const std::string& indent, std::size_t before) {
  constexpr std::size_t kColumns = 120;
  const std::string line = OnOneLine(json);
  if (!json.is_structured() || json.empty() || before + line.size() <= kColumns) return line;
  const std::string inner = indent + "  ";
  std::string text(1, line.front());
  for (const auto& [key, value] : json.items()) {
    const std::string name = json.is_object() ? Json(key).dump() + ": " : "";
    text += text.size() == 1 ? "\n" : ",\n";
    text += inner + name + OnLines(value, inner, inner.size() + name.size());
  }
  return text + "\n" + indent + line.back();
}

}  // namespace

std::span<const NamedSchema> Schemas() {
  return kSchemas;
}

std::string ToText(const NamedSchema& schema) {
  Json json = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
               {"title", schema.title}};
  json.update(ParseJson(schema.body()));
  json["title"] = schema.title;  // and not the name of the object
  return OnLines(json, "", 0) + "\n";
}

}  // namespace weightsmith::internal
