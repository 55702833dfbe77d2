#include "recipes/jobs/rewrite.h"

#include <span>
#include <utility>

#include "core/io/configuration_files.h"
#include "core/model/anatomy.h"

namespace weightsmith::internal {
namespace {

/// What the file said of itself, as far as it is still true of its parts.
std::optional<Metadata> KeptMetadata(const Checkpoint& checkpoint) {
  Metadata kept{{"format", "pt"}};
  if (!checkpoint.metadata()) return kept;
  for (const auto& [key, value] : *checkpoint.metadata()) {
    if (!key.starts_with("weightsmith.") && key != "modelspec.hash_sha256") kept[key] = value;
  }
  return kept;
}

}  // namespace

Plan PlanOf(const RewriteJob& job) {
  Expression expression;
  expression.policies.effect = EffectPolicy::kAny;
  expression.policies.prediction = PredictionPolicy::kAllow;
  expression.policies.ema = EmaPolicy::kKeep;
  std::vector<OutputSpec> outputs;
  for (const Rewrite& rewrite : job.files) {
    Node leaf;
    leaf.name = rewrite.name;
    leaf.model = static_cast<std::uint32_t>(expression.models.size());
    leaf.policies = expression.policies;
    Model model;
    model.name = rewrite.name;
    model.parts.push_back({rewrite.checkpoint, Examine(*rewrite.checkpoint), std::nullopt});
    expression.models.push_back(std::move(model));
    OutputSpec output;
    output.root = static_cast<NodeId>(expression.nodes.size());
    output.path = rewrite.path;
    output.dtype = rewrite.dtype;
    output.metadata = [kept = KeptMetadata(*rewrite.checkpoint)](const RunDigests&) {
      return kept;
    };
    expression.nodes.push_back(std::move(leaf));
    outputs.push_back(std::move(output));
  }
  Plan plan = MakePlan(expression, std::move(outputs));
  OutputPlan& last = plan.outputs.back();
  if (job.texts_from) last.copies = PipelineConfiguration(*job.texts_from, job.folder);
  last.texts = job.texts;
  last.text_folder = job.folder;
  return plan;
}

}  // namespace weightsmith::internal
