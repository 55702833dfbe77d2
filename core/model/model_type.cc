#include "core/model/model_type.h"

#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "core/base/json-inl.h"

namespace weightsmith::internal {

namespace {

std::uint64_t CountIn(const Json& json, std::string_view key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::uint64_t HeadSizeIn(const Json& json) {
  if (const std::uint64_t said = CountIn(json, "head_dim"); said > 0) return said;
  const std::uint64_t width = CountIn(json, "hidden_size");
  const std::uint64_t heads = CountIn(json, "num_attention_heads");
  return heads > 0 && width % heads == 0 ? width / heads : 0;
}

}  // namespace

ModelConfiguration ConfigurationOf(const std::filesystem::path& checkpoint) {
  constexpr std::uintmax_t kMostBytes = 1 << 20;
  std::error_code error;
  const bool folder = std::filesystem::is_directory(checkpoint, error);
  const std::filesystem::path config =
      (folder ? checkpoint : checkpoint.parent_path()) / "config.json";
  if (!std::filesystem::is_regular_file(config, error)) return {};
  if (const auto size = std::filesystem::file_size(config, error); error || size > kMostBytes) {
    return {};
  }
  std::ifstream stream(config);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  const Json json = ParseJsonIfValid(text);
  if (!json.is_object()) return {};
  ModelConfiguration said{.head_size = HeadSizeIn(json)};
  const auto found = json.find("model_type");
  if (found != json.end() && found->is_string()) said.type = found->get<std::string>();
  return said;
}

}  // namespace weightsmith::internal
