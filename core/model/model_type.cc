#include "core/model/model_type.h"

#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "core/base/json-inl.h"

namespace weightsmith::internal {

std::string ModelType(const std::filesystem::path& checkpoint) {
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
  const auto found = json.find("model_type");
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace weightsmith::internal
