#include "recipes/schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/json-inl.h"
#include "core/base/text.h"
#include "recipes/jobs/adapter_info_json-inl.h"
#include "recipes/jobs/checkpoint_info_json.h"
#include "recipes/jobs/plan_json.h"
#include "recipes/jobs/report_json.h"
#include "recipes/jobs/scan_json.h"
#include "recipes/jobs/verification_json.h"
#include "recipes/recipe_schema.h"

namespace weightsmith::internal {
namespace {

struct NamedSchema {
  std::string_view name;
  std::string_view title;
  std::string (*body)();
};

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

std::vector<SchemaEntry> Schemas() {
  std::vector<SchemaEntry> entries;
  for (const NamedSchema& schema : kSchemas) entries.push_back({schema.name, schema.title});
  return entries;
}

std::string SchemaText(std::string_view name) {
  const auto* const found = std::ranges::find(kSchemas, name, &NamedSchema::name);
  if (found == std::end(kSchemas)) {
    std::vector<std::string> names;
    for (const NamedSchema& schema : kSchemas) names.emplace_back(schema.name);
    throw Error(ErrorCode::kUsage,
                fmt::format("there is no schema {}.{}", Quote(name), DidYouMean(name, names)),
                fmt::format("Schemas are {}.", fmt::join(names, ", ")));
  }
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", found->title}};
  schema.update(ParseJson(found->body()));
  schema["title"] = found->title;  // and not the name of the object
  return ToText(schema);
}

}  // namespace weightsmith::internal
