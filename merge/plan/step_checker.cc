#include "merge/plan/step_checker.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"

namespace weightsmith::internal {

StepChecker::StepChecker(PlanDraft& draft)
    : draft_(&draft), index_(&draft.index), account_(&draft.account) {
  for (const AppliedModule& module : draft.plan.applied) {
    applied_.emplace(module.model, module.step);
  }
}

void StepChecker::Check() {
  CheckSelections();
  const std::set<std::uint32_t> probed = ProbedSteps(draft_->plan);
  for (StepPlan& step : draft_->plan.steps) {
    const bool computed = account_->computed.contains(step.node);
    const auto kept = account_->kept.find(step.node);
    if (kept != account_->kept.end()) step.missing = kept->second;
    CheckAdapters(step.node);
    CheckConcern(step);
    step.all_weights_zero = computed && !account_->replaced.contains(step.node) &&
                            !probed.contains(index_->StepNumber(step.node));
    if (!computed) CheckShared(step);
  }
}

/// A step that acts on some tensors has to select one.
void StepChecker::CheckSelections() {
  if (!draft_->problems.empty()) return;  // of places that are not there, above all
  const std::vector<Node>& nodes = index_->expression().nodes;
  for (const NodeId id : index_->steps()) {
    const Node& step = nodes[id];
    if (step.op->where.empty() || account_->selected.contains(id)) continue;
    draft_->problems.AddSentence(
        fmt::format("step '{}': 'where' selects no tensor of '{}'", step.name,
                    nodes[step.operands.front()].name),
        "A tensor has to be like every key of it; to say either of two, give a list of mappings.");
  }
}

/// An adapter that meets several models has to change each of them.
void StepChecker::CheckAdapters(NodeId id) {
  const std::vector<Node>& nodes = index_->expression().nodes;
  const Node& step = nodes[id];
  if (!step.op->list || !step.op->list->adapters || !draft_->problems.empty()) return;
  const std::string& model = nodes[step.operands.front()].name;
  for (const NodeId entry : step.list) {
    const Node& leaf = nodes[entry];
    if (!leaf.leaf() || account_->muted.contains({id, *leaf.model})) continue;
    if (applied_.contains({*leaf.model, index_->StepNumber(id)})) continue;
    draft_->problems.Add(fmt::format("step '{}': adapter '{}' changes nothing of '{}'", step.name,
                                     draft_->plan.models[*leaf.model].name, model));
  }
}

/// A step that computed tensors has to be for one of them.
void StepChecker::CheckConcern(const StepPlan& step) const {
  const std::vector<Node>& nodes = index_->expression().nodes;
  const Node& node = nodes[step.node];
  const bool idle = node.op->concerns != nullptr && account_->computed.contains(step.node) &&
                    !account_->concerned.contains(step.node);
  if (!idle || !step.expects_effect || !draft_->problems.empty()) return;
  throw Error(ErrorCode::kNoEffect,
              fmt::format("step '{}' changes nothing: '{}' {}", step.name,
                          nodes[node.operands.front()].name, node.op->lacks),
              "Check that the right file is named. Write `policy: {effect: any}` to allow it.");
}

/// Operands of a step that computed nothing have to have a tensor in common.
void StepChecker::CheckShared(const StepPlan& step) const {
  const Node& node = index_->expression().nodes[step.node];
  if (node.operands.size() + node.list.size() < 2 || !step.expects_effect) return;
  if (account_->shared.contains(step.node) || !draft_->problems.empty()) return;
  if (account_->left_vae.contains(step.node) && IsSelectedFrom(step.node)) {
    throw Error(ErrorCode::kMismatch,
                fmt::format("step '{}' is asked for a VAE alone, and merges none", step.name),
                "Name `vae` in a row of its weights, or write `vae: true` in the step where it "
                "has no rows.");
  }
  throw Error(
      ErrorCode::kMismatch,
      fmt::format("step '{}': its operands have no tensor in common that can be merged", step.name),
      index_->CopiesByDefault()
          ? "The VAE is copied and not merged, unless a row of the weights names `vae` or the "
            "step has `vae: true`."
          : "");
}

/// Whether a step with `where` asks the node for what it selects.
bool StepChecker::IsSelectedFrom(NodeId node) const {
  return std::ranges::any_of(index_->steps(), [&](NodeId id) {
    const Node& step = index_->expression().nodes[id];
    return !step.op->where.empty() && std::ranges::find(step.operands, node) != step.operands.end();
  });
}

void StepChecker::NoteSelections(std::size_t tensors) {
  for (const auto& [id, count] : account_->selected) {
    const Node& step = index_->expression().nodes[id];
    draft_->plan.notes.push_back(fmt::format("step '{}' acts on {} of {} tensors", step.name,
                                             FormatCount(count), FormatCount(tensors)));
  }
}

}  // namespace weightsmith::internal
