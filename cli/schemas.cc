#include "cli/schemas.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "core/base/error.h"
#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

constexpr NamedSchema kOfCommands[] = {
    {"architectures", "What `architectures` prints as JSON", ArchitecturesSchema},
    {"blocks", "What `blocks` prints as JSON", BlocksSchema},
    {"hash", "What `hash` prints as JSON", HashesSchema},
    {"lora-families", "What `lora families` prints as JSON", AdapterFamiliesSchema},
    {"meta", "What `meta` prints as JSON", MetadataSchema},
    {"ops", "What `ops` prints as JSON", OperatorsSchema},
    {"progress", "A line of what `--progress json` prints", ProgressSchema},
    {"validate", "What `validate` prints as JSON", VerdictsSchema},
};

}  // namespace

std::vector<NamedSchema> AllSchemas() {
  const auto of_jobs = Schemas();
  std::vector<NamedSchema> all(of_jobs.begin(), of_jobs.end());
  all.insert(all.end(), std::begin(kOfCommands), std::end(kOfCommands));
  std::ranges::sort(all, {}, &NamedSchema::name);
  return all;
}

NamedSchema SchemaNamed(std::string_view name) {
  const std::vector<NamedSchema> all = AllSchemas();
  const auto found = std::ranges::find(all, name, &NamedSchema::name);
  if (found != all.end()) return *found;
  std::vector<std::string> names;
  for (const NamedSchema& schema : all) names.emplace_back(schema.name);
  throw Error(ErrorCode::kUsage,
              fmt::format("there is no schema {}.{}", Quote(name), DidYouMean(name, names)),
              fmt::format("Schemas are {}.", fmt::join(names, ", ")));
}

}  // namespace weightsmith::internal
