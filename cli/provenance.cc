#include "cli/provenance.h"

#include <fmt/format.h>

#include "cli/json.h"
#include "core/error.h"
#include "core/text.h"

namespace weightsmith {
namespace {

constexpr std::string_view kRecipeKey = "weightsmith.recipe";
constexpr std::string_view kInputsKey = "weightsmith.inputs";
constexpr std::string_view kDigestKey = "weightsmith.digest";

std::optional<std::string> Find(const Metadata& metadata, std::string_view key) {
  const auto found = metadata.find(std::string(key));
  if (found == metadata.end()) return std::nullopt;
  return found->second;
}

RecordedInput InputFrom(const Json& json) {
  return {json.at("name").get<std::string>(), json.value("component", std::string()),
          json.at("file").get<std::string>(), json.at("size").get<std::uint64_t>(),
          json.at("digest").get<std::string>()};
}

}  // namespace

std::optional<Provenance> ReadProvenance(const std::optional<Metadata>& metadata) {
  if (!metadata) return std::nullopt;
  const std::optional<std::string> recipe = Find(*metadata, kRecipeKey);
  const std::optional<std::string> inputs = Find(*metadata, kInputsKey);
  if (!recipe || !inputs) return std::nullopt;
  Provenance provenance{*recipe, {}, Find(*metadata, kDigestKey)};
  try {
    for (const Json& input : Json::parse(*inputs)) provenance.inputs.push_back(InputFrom(input));
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kInput, fmt::format("the metadata's {} cannot be read: {}",
                                               Quote(kInputsKey), error.what()));
  }
  return provenance;
}

}  // namespace weightsmith
