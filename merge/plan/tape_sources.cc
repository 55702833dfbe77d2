#include "merge/plan/tape_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "core/base/error.h"

namespace weightsmith::internal {
namespace {

bool DependsOnStep(const std::vector<AdapterPart>& parts) {
  return std::ranges::any_of(parts, [](const AdapterPart& part) {
    return ReadsWeight(*part.module, part.target) || Replaces(*part.module, part.target) ||
           !IsLinear(*part.module, part.target);
  });
}

/// The adapters that the step bakes, in the order of the models.
std::set<std::uint32_t> BakedIn(const Expression& expression, const Node& step) {
  std::set<std::uint32_t> adapters;
  if (!step.op->list || !step.op->list->adapters) return adapters;
  for (const NodeId entry : step.list) {
    if (const auto& model = expression.nodes[entry].model) adapters.insert(*model);
  }
  return adapters;
}

std::vector<TapeSource> SourcesOf(const ExpressionIndex& index, const TensorKey& key) {
  std::vector<TapeSource> sources;
  for (std::uint32_t m = 0; m < index.models().size(); ++m) {
    if (index.Reaches(m) && index.models()[m].Find(key) != nullptr)
      sources.push_back({m, false, {}});
  }
  for (const std::uint32_t model : index.EmaModels()) {
    const ModelIndex& own = index.models()[model];
    if (own.Find(key) != nullptr && own.EmaOf(key)) sources.push_back({model, false, {}, true});
  }
  std::set<std::uint32_t> dependent;
  for (const auto& [model, adapter] : index.adapters()) {
    const std::vector<AdapterPart>* parts = adapter.Find(key);
    if (parts == nullptr) continue;
    if (DependsOnStep(*parts)) {
      dependent.insert(model);
    } else {
      sources.push_back({model, true, {}});
    }
  }
  if (dependent.empty()) return sources;
  for (const NodeId step : index.steps()) {
    for (const std::uint32_t model : BakedIn(index.expression(), index.expression().nodes[step])) {
      if (dependent.contains(model)) sources.push_back({model, true, step});
    }
  }
  return sources;
}

}  // namespace

TapeSources::TapeSources(const ExpressionIndex& index, const TensorKey& key)
    : all_(SourcesOf(index, key)) {
  constexpr std::size_t kMost = std::numeric_limits<Register>::max();
  if (all_.size() > kMost) {
    throw Error(
        ErrorCode::kResources,
        fmt::format("{} inputs of one tensor are more than the {} that can be merged at once",
                    all_.size(), kMost),
        "Split the recipe: write an intermediate result and merge that.");
  }
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const auto number = static_cast<Register>(i);
    if (all_[i].ema) {
      ema_[all_[i].model] = number;
    } else {
      numbers_.try_emplace({all_[i].model, all_[i].baked}, number);
    }
  }
}

std::optional<Register> TapeSources::Of(std::uint32_t model, std::optional<NodeId> step) const {
  const auto found = numbers_.find({model, step});
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Register> TapeSources::EmaOf(std::uint32_t model) const {
  const auto found = ema_.find(model);
  return found == ema_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace weightsmith::internal
