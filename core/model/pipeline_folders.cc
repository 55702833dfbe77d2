#include "core/model/pipeline_folders.h"

#include <set>
#include <utility>
#include <vector>

#include "core/model/text_encoders.h"

namespace weightsmith::internal {
namespace {

std::vector<std::string> FoldersOfAll() {
  std::set<std::pair<ComponentKind, std::string>> found;
  for (const Architecture* architecture : Architectures()) {
    // Variants of an architecture differ in their diffusion models alone.
    const std::vector<ComponentRule> components = architecture->rows.front().components();
    for (const ComponentRule& component : components) {
      found.emplace(component.kind, PipelineFolder(components, component.name));
    }
  }
  std::vector<std::string> folders;
  for (const auto& [kind, folder] : found) folders.push_back(folder);
  return folders;
}

}  // namespace

std::string PipelineFolder(std::span<const ComponentRule> components, std::string_view name) {
  const std::uint32_t encoder = TextEncoderNumber(components, name);
  return encoder == 0 ? std::string(name) : TextEncoderFolder(encoder);
}

std::span<const std::string> PipelineFolders() {
  static const std::vector<std::string> folders = FoldersOfAll();
  return folders;
}

}  // namespace weightsmith::internal
