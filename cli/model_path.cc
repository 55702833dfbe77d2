#include "cli/model_path.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>

namespace weightsmith::internal {
namespace {

// The index of shards first: what is left of its name ends like a model file.
constexpr std::array<std::string_view, 6> kEndings = {".index.json", ".safetensors", ".ckpt",
                                                      ".pt",         ".pth",         ".bin"};

}  // namespace

bool IsFolder(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

bool LooksLikeModel(const std::filesystem::path& path) {
  const std::string name = path.string();
  return std::ranges::any_of(kEndings, [&](auto ending) { return name.ends_with(ending); }) ||
         IsFolder(path);
}

std::string ModelStem(const std::filesystem::path& path) {
  std::string name = path.lexically_normal().filename().string();
  if (name.empty()) name = path.lexically_normal().parent_path().filename().string();
  for (const std::string_view ending : kEndings) {
    if (name.size() > ending.size() && name.ends_with(ending)) {
      name.resize(name.size() - ending.size());
    }
  }
  return name;
}

}  // namespace weightsmith::internal
