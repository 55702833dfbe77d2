#include "recipes/jobs/provenance.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/json-inl.h"
#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kRecipeKey = "weightsmith.recipe";
constexpr std::string_view kInputsKey = "weightsmith.inputs";
constexpr std::string_view kDigestKey = "weightsmith.digest";

std::optional<std::string> Find(const Metadata& metadata, std::string_view key) {
  const auto found = metadata.find(std::string(key));
  if (found == metadata.end()) return std::nullopt;
  return found->second;
}

// A run without digests leaves zeros where they would be.
std::optional<std::string> DigestIn(const std::optional<std::string>& text) {
  if (!text || text->find_first_not_of('0') == std::string::npos) return std::nullopt;
  return text;
}

RecordedInput InputFrom(const Json& json) {
  RecordedInput input{json.at("name").get<std::string>(),
                      json.value("component", std::string()),
                      json.at("file").get<std::string>(),
                      json.at("size").get<std::uint64_t>(),
                      DigestIn(json.at("digest").get<std::string>()),
                      std::nullopt};
  if (json.contains("sha256")) input.sha256 = json["sha256"].get<std::string>();
  return input;
}

}  // namespace

Provenance ReadProvenance(const std::optional<Metadata>& metadata) {
  Provenance provenance;
  if (!metadata) return provenance;
  provenance.output_digest = DigestIn(Find(*metadata, kDigestKey));
  provenance.recipe = Find(*metadata, kRecipeKey);
  const std::optional<std::string> inputs = Find(*metadata, kInputsKey);
  if (!inputs) provenance.recipe = std::nullopt;
  if (!provenance.recipe) return provenance;
  try {
    for (const Json& input : ParseJson(*inputs)) provenance.inputs.push_back(InputFrom(input));
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kInput, fmt::format("the metadata's {} cannot be read: {}",
                                               Quote(kInputsKey), error.what()));
  }
  return provenance;
}

}  // namespace weightsmith::internal
