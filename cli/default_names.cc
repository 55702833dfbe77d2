#include "cli/default_names.h"

#include <fmt/format.h>

#include "cli/model_path.h"
#include "core/base/error.h"
#include "core/model/views/canonical_view.h"

namespace weightsmith::internal {
namespace {

// A pipeline is a folder, a component alone is a file in every layout.
bool IsOneComponent(const ConvertRequest& request) {
  const auto checkpoint = WithContext(
      "convert", [&] { return OpenCanonical(request.path, std::nullopt, request.key); });
  return Examine(*checkpoint).components.size() == 1;
}

}  // namespace

std::filesystem::path ConvertedName(const ConvertRequest& request) {
  std::string name = ModelStem(request.path);
  const std::string before = name;
  for (const std::string& component : request.components) name += "-" + component;
  if (request.prune) name += "-pruned";
  if (request.fix) name += "-fixed";
  if (request.dtype) name += "-" + std::string(WordOf(*request.dtype));
  if (request.layout != OutputLayout::kKeep) name += fmt::format("-{}", ToString(request.layout));
  const bool folder = request.layout == OutputLayout::kDiffusers &&
                      request.components.size() != 1 && !IsOneComponent(request);
  if (folder) return name;
  const std::string ending = ".safetensors";
  if (name == before && request.path.filename() == name + ending) name += "-converted";
  return name + ending;
}

std::filesystem::path PartsName(const std::filesystem::path& model) {
  return ModelStem(model) + "-parts";
}

std::filesystem::path AssembledName(const std::string& architecture) {
  return architecture + "-assembled.safetensors";
}

}  // namespace weightsmith::internal
