#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/byte_source.h"
#include "core/io/output_target.h"
#include "core/model/blocks.h"
#include "core/model/layer_configuration.h"
#include "merge/plan/planner.h"

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

std::optional<Origin> Planner::OriginIn(NodeId node, const TensorKey& key) const {
  Origin origin{node, {}};
  for (const std::uint32_t model : index_.WeightModels(node)) {
    if (index_.models()[model].Find(key) != nullptr) origin.models.push_back(model);
  }
  if (origin.models.empty()) return std::nullopt;
  return origin;
}

/// What an output takes a tensor of the models from; a stack may take it more than once.
std::vector<Origin> Planner::OriginsOf(const OutputSpec& spec, const TensorKey& key) const {
  if (spec.layout == OutputLayout::kDiffusers && lacking_.contains(key)) return {};
  const NodeId node = NodeFor(spec, key.component);
  std::optional<Origin> whole = OriginIn(node, key);
  if (!whole) return {};
  const auto stack = stacks_.find(node);
  if (stack == stacks_.end()) return {*std::move(whole)};
  std::vector<Origin> origins;
  const ComponentKind kind = Of(whole->models.front(), key).component->kind;
  for (const StackIndex::Use& use : stack->second.UsesOf(kind, key)) {
    std::optional<Origin> origin = OriginIn(use.node, key);
    if (!origin) continue;
    origin->layer = use.layer;
    origins.push_back(*std::move(origin));
  }
  return origins;
}

std::vector<Want> Planner::WantsOf(const TensorKey& key) const {
  std::vector<Want> wants;
  for (std::uint32_t o = 0; o < plan_.outputs.size(); ++o) {
    for (Origin& origin : OriginsOf(plan_.outputs[o].spec, key)) {
      wants.push_back({o, std::move(origin)});
    }
  }
  return wants;
}

/// How deep a layer stands is a matter of its model, also of layers that are left out.
void Planner::CollectStacks() {
  for (const auto& [stack, layers] : stacks_) {
    for (const std::uint32_t model : index_.WeightModels(stack)) {
      for (const auto& [key, tensor] : index_.models()[model].tensors()) places_.Add(tensor);
    }
  }
}

/// Rows of steps in a stack may speak of layers that it leaves out, those of its output of numbers
/// that no model has.
void Planner::AddPlacesOfStacks(std::vector<TensorPlace>& places) const {
  for (const auto& [stack, layers] : stacks_) {
    for (const std::uint32_t model : index_.WeightModels(stack)) {
      for (const auto& [key, tensor] : index_.models()[model].tensors()) {
        if (tensor.anatomy->role != Role::kWeight) continue;
        places.push_back(places_.Of(tensor, tensor.anatomy->canonical));
      }
    }
  }
  for (std::size_t o = 0; o < output_tensors_.size(); ++o) {
    if (!stacks_.contains(plan_.outputs[o].spec.root)) continue;
    for (const OutputTensor& tensor : output_tensors_[o]) {
      TensorPlace place{tensor.canonical, tensor.component, ComponentKind::kBackbone};
      place.block = BlockOf(place.kind, tensor.local);
      if (place.block.family == "layer") places.push_back(place);
    }
  }
}

/// The config.json that goes with a stack has its number of layers.
void Planner::AdjustConfiguration(std::uint32_t output) {
  OutputPlan& placed = plan_.outputs[output];
  const auto stack = stacks_.find(placed.spec.root);
  if (stack == stacks_.end()) return;
  const auto copied = std::ranges::find_if(
      placed.copies, [](const FileCopy& copy) { return copy.to.filename() == kConfiguration; });
  if (copied == placed.copies.end()) return;
  ConfigurationTexts texts(plan_);
  std::vector<ConfiguredLayer> layers;
  for (const StackIndex::Layer& layer : stack->second.layers()) {
    const Model& model = plan_.models[index_.WeightModels(layer.node).front()];
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
