#include "merge/plan/stack_configuration.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/byte_source.h"
#include "core/io/output_target.h"
#include "core/model/layer_configuration.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kConfiguration = "config.json";
constexpr std::uintmax_t kMostBytes = 1 << 20;

/// Where the config.json of a model is, if it has one.
fs::path ConfigurationBeside(const Model& model) {
  const fs::path& path = model.parts.front().checkpoint->path();
  std::error_code ignored;
  return (fs::is_directory(path, ignored) ? path : FolderOf(path)) / kConfiguration;
}

/// Texts of configurations, each read once.
class ConfigurationTexts {
 public:
  explicit ConfigurationTexts(Plan& plan) : plan_(&plan) {}

  /// Empty where there is no such file.
  const std::string& At(const fs::path& path) {
    const auto [known, added] = texts_.try_emplace(path);
    std::error_code ignored;
    if (!added || !fs::is_regular_file(path, ignored)) return known->second;
    if (fs::file_size(path, ignored) > kMostBytes) {
      throw Error(ErrorCode::kInput, fmt::format("{}: a configuration has at most {}",
                                                 Quote(path.string()), FormatBytes(kMostBytes)));
    }
    const auto file = OpenByteSource(path, IoBackend::kRead);
    known->second = ReadText(*file, 0, file->size());
    plan_->texts_read.push_back({path, "configuration"});
    return known->second;
  }

 private:
  Plan* plan_;
  std::map<fs::path, std::string> texts_;
};

}  // namespace

void ConfigureLayers(Plan& plan, std::uint32_t output, const ExpressionIndex& index,
                     const StackIndex& stack) {
  OutputPlan& placed = plan.outputs[output];
  const auto copied = std::ranges::find_if(
      placed.copies, [](const FileCopy& copy) { return copy.to.filename() == kConfiguration; });
  if (copied == placed.copies.end()) return;
  ConfigurationTexts texts(plan);
  std::vector<ConfiguredLayer> layers;
  for (const StackIndex::Layer& layer : stack.layers()) {
    const Model& model = plan.models[index.WeightModels(layer.node).front()];
    layers.push_back({texts.At(ConfigurationBeside(model)), layer.number});
  }
  const std::string& config = texts.At(copied->from);
  placed.text_folder = copied->to.parent_path();
  placed.texts.push_back({fs::path(kConfiguration),
                          WithContext(fmt::format("reading {}", Quote(copied->from.string())),
                                      [&] { return WithLayers(config, layers); })});
  placed.copies.erase(copied);
}

}  // namespace weightsmith::internal
