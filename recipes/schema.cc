#include "recipes/schema.h"

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

}  // namespace

std::span<const NamedSchema> Schemas() {
  return kSchemas;
}

std::string ToText(const NamedSchema& schema) {
  Json json = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
               {"title", schema.title}};
  json.update(ParseJson(schema.body()));
  json["title"] = schema.title;  // and not the name of the object
  return ToText(json);
}

}  // namespace weightsmith::internal
