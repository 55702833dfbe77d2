#include "merge/plan/planner_account.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "merge/plan/row_checker.h"
#include "merge/program/coefficients.h"

namespace weightsmith::internal {
namespace {

/// The place of a source among coefficients.
std::size_t TermOf(const Plan& plan, const Source& source) {
  if (!source.ema) return source.model;
  const auto averages = std::ranges::find(plan.averages, source.model, &Averages::model);
  return plan.models.size() + static_cast<std::size_t>(averages - plan.averages.begin());
}

TensorKey KeyOfSource(const Plan& plan, const Source& source) {
  const Anatomy& anatomy = plan.models[source.model].parts[source.part].anatomy;
  const TensorAnatomy& tensor = anatomy.tensors[source.tensor];
  return {anatomy.components[tensor.component].name, tensor.local};
}

}  // namespace

void FindAverages(Plan& plan) {
  std::set<std::uint32_t> models;
  for (const Task& task : plan.tasks) {
    for (const Source& source : task.sources) {
      if (source.ema) models.insert(source.model);
    }
  }
  for (const std::uint32_t model : models) {
    plan.averages.push_back({model, fmt::format("ema({})", plan.models[model].name)});
  }
}

std::vector<ComponentCoefficients> FindCoefficients(const Plan& plan,
                                                    const std::vector<OutputTensor>& tensors) {
  std::map<std::string, ComponentCoefficients> by_component;
  for (const OutputTensor& tensor : tensors) {
    const Task& task = plan.tasks[tensor.task];
    const Product& product = task.products[tensor.product];
    if (Info(tensor.info.dtype).kind != DTypeKind::kFloat || product.numbers) continue;
    auto by_source =
        LinearCoefficients(task.tape, product.scale ? product.scale->unscaled : product.value);
    const std::size_t operands = task.sources.size() + task.deltas.size();
    const auto counts = [](double weight) { return weight != 0; };
    // A function of whole tensors is no combination of them.
    if (by_source && std::any_of(by_source->begin() + operands, by_source->end(), counts)) {
      by_source.reset();
    }
    std::vector<double> by_model(plan.models.size() + plan.averages.size(), 0.0);
    for (std::size_t s = 0; by_source && s < task.sources.size(); ++s) {
      by_model[TermOf(plan, task.sources[s])] += (*by_source)[s];
    }
    for (std::size_t d = 0; by_source && d < task.deltas.size(); ++d) {
      by_model[task.deltas[d].model] += (*by_source)[task.sources.size() + d];
    }
    const auto [found, first] = by_component.try_emplace(tensor.component);
    ComponentCoefficients& at = found->second;
    at.component = tensor.component;
    at.linear = at.linear && by_source.has_value();
    at.uniform = first || (at.uniform && at.coefficients == by_model);
    if (first) at.coefficients = at.lowest = at.highest = by_model;
    for (std::size_t m = 0; m < by_model.size(); ++m) {
      at.lowest[m] = std::min(at.lowest[m], by_model[m]);
      at.highest[m] = std::max(at.highest[m], by_model[m]);
    }
  }
  std::vector<ComponentCoefficients> components;
  for (auto& [name, at] : by_component) components.push_back(std::move(at));
  return components;
}

void CountModelKeys(Plan& plan, const ExpressionIndex& index,
                    const std::map<TensorKey, PlannedTensor>& tensors, const ModelsMet& met) {
  std::vector<std::set<TensorKey>> read(plan.models.size());
  std::vector<std::set<TensorKey>> averages(plan.models.size());
  for (const Task& task : plan.tasks) {
    for (const Source& source : task.sources) {
      read[source.model].insert(KeyOfSource(plan, source));
      if (source.ema) averages[source.model].insert(KeyOfSource(plan, source));
      plan.bytes_to_read += source.info.bytes();
    }
    for (const Source* companion : CompanionsRead(task)) {
      read[companion->model].insert(KeyOfSource(plan, *companion));
    }
    for (const Source& companion : task.companions) plan.bytes_to_read += companion.info.bytes();
  }
  std::vector<std::uint64_t> applied(plan.models.size());
  for (const AppliedModule& module : plan.applied) ++applied[module.model];
  for (std::uint32_t m = 0; m < plan.models.size(); ++m) {
    if (!index.Reaches(m)) continue;
    ModelKeys& keys = plan.model_keys[m];
    for (const auto& [key, stored] : index.models()[m].tensors()) {
      if (tensors.contains(key)) {
        ++keys.matched;
      } else if (stored.anatomy->role == Role::kEma && plan.policies.ema == EmaPolicy::kDrop) {
        if (!averages[m].contains(key)) ++keys.ema;
      } else {
        ++keys.unmatched;
        if (keys.unmatched_names.size() < 20) keys.unmatched_names.push_back(stored.stored->name);
      }
    }
    keys.used = read[m].size();
    keys.averages = averages[m].size();
    if (plan.models[m].adapter != nullptr) {
      keys.matched = plan.adapters[m].applied;
      keys.used = applied[m];
    }
    const std::string& name = plan.models[m].name;
    if (keys.used > 0) continue;
    if (met.considered.contains(m)) {
      keys.weight_zero = true;
      plan.notes.push_back(fmt::format("'{}' has weight 0 everywhere and is not read", name));
    } else if (const auto spared = met.spared.find(m); spared != met.spared.end()) {
      const StepPlan& step = plan.steps[index.StepNumber(spared->second)];
      plan.notes.push_back(fmt::format("'{}' is not read: step '{}' ({}) needs nothing of it", name,
                                       step.name, step.op));
    } else if (plan.policies.effect == EffectPolicy::kError) {
      throw Error(ErrorCode::kNoEffect,
                  fmt::format("model '{}' has no effect: {} of its {} tensors are in the result, "
                              "and none enters it",
                              name, keys.matched, index.models()[m].tensors().size()),
                  fmt::format("{}Write `policy: {{effect: any}}` to allow it.",
                              index.CopiesByDefault()
                                  ? "The VAE is copied from the leftmost model unless a row of the "
                                    "weights names `vae`. "
                                  : ""));
    }
  }
  for (const StepPlan& step : plan.steps) {
    if (step.all_weights_zero && step.expects_effect) {
      plan.notes.push_back(fmt::format("step '{}' changes nothing: its weights are 0", step.name));
    }
  }
}

namespace {

/// The place of a list whose number merges VAEs with what else it is for, "BASE"; empty where the
/// list leaves them alone, or has a number of their own.
std::string_view PlaceOfVae(const Weights& weights, const Architecture* architecture) {
  const BlockList* list = weights.list() ? weights.list()->ListOf(architecture) : nullptr;
  if (list == nullptr) return {};
  const ListRow* row = list->RowOf(ComponentKind::kVae, "vae", {});
  if (row == nullptr || row->kind || !row->number) return {};
  return list->names[*row->number];
}

}  // namespace

void WarnOfMergedVae(Plan& plan, const ExpressionIndex& index) {
  const Anatomy* anatomy = index.LeadingAnatomy();
  const Architecture* architecture = anatomy != nullptr ? anatomy->architecture : nullptr;
  std::set<std::string_view> copied;
  for (const ModelIndex& model : index.models()) {
    for (const auto& [name, component] : model.components()) {
      if (!component->merged_by_default) copied.insert(name);
    }
  }
  std::set<std::uint32_t> merge_vae;
  for (const Task& task : plan.tasks) {
    if (!copied.contains(task.component)) continue;
    for (const Probe& probe : task.tape.probes) merge_vae.insert(probe.step);
  }
  for (const NodeId id : index.steps()) {
    const Node& step = index.expression().nodes[id];
    if (!merge_vae.contains(index.StepNumber(id))) continue;
    std::string_view place;
    for (const Weights& weights : step.parameters) {
      if (place.empty()) place = PlaceOfVae(weights, architecture);
    }
    if (place.empty()) continue;
    plan.warnings.push_back(fmt::format(
        "step '{}': the list's {} merges the VAEs as well, as SuperMerger does; where they differ, "
        "write rows instead, or take the VAE from one model",
        step.name, place));
  }
}

namespace {

/// Whether both are the same files, under whatever paths.
bool AreSameFiles(const Model& a, const Model& b) {
  if (a.adapter || b.adapter || a.parts.size() != b.parts.size()) return false;
  return std::ranges::equal(a.parts, b.parts, [](const Model::Part& one, const Model::Part& other) {
    return one.component == other.component && !one.checkpoint->files().empty() &&
           std::ranges::equal(one.checkpoint->files(), other.checkpoint->files(),
                              [](const auto& file, const auto& its) {
                                return file->identity().SameFile(its->identity());
                              });
  });
}

bool AreSameRows(const PlaceMap<MissingPolicy>& a, const PlaceMap<MissingPolicy>& b) {
  return std::ranges::equal(
      a.rows(), b.rows(),
      [](const PlaceRow<MissingPolicy>& one, const PlaceRow<MissingPolicy>& other) {
        return one.selector.text() == other.selector.text() && one.value == other.value;
      });
}

}  // namespace

void CheckBases(const Plan& plan, const ExpressionIndex& index, Problems& problems) {
  const std::vector<Node>& nodes = index.expression().nodes;
  const auto model_of = [&](NodeId id) {
    return nodes[id].leaf() ? &plan.models[*nodes[id].model] : nullptr;
  };
  for (const NodeId id : index.steps()) {
    const Node& step = nodes[id];
    const auto spec =
        std::ranges::find(step.op->operands, std::string_view("base"), &OperandSpec::name);
    const auto place = static_cast<std::size_t>(spec - step.op->operands.begin());
    if (place >= step.operands.size() || step.policies.effect == EffectPolicy::kAny) continue;
    const Model* const base = model_of(step.operands[place]);
    for (const NodeId entry : step.list) {
      const Model* const model = model_of(entry);
      if (base == nullptr || model == nullptr || !AreSameFiles(*base, *model)) continue;
      problems.AddSentence(
          fmt::format(
              "step '{}': '{}' is the same file as '{}', its base: its difference to it is 0",
              step.name, nodes[entry].name, nodes[step.operands[place]].name),
          fmt::format("Leave it out of '{}', or name the right file.", step.op->list->name));
    }
  }
}

void CheckRows(Plan& plan, const ExpressionIndex& index, std::span<const TensorPlace> places,
               Problems& problems) {
  const Anatomy* anatomy = index.LeadingAnatomy();
  RowChecker checker(places, anatomy != nullptr ? anatomy->architecture : nullptr,
                     anatomy != nullptr ? anatomy->row.get() : nullptr, plan.notes, problems);
  for (const NodeId id : index.steps()) {
    const Node& step = index.expression().nodes[id];
    const std::string where = fmt::format("step '{}'", step.name);
    const bool supermerger = step.policies.blocks == BlocksPolicy::kSuperMerger;
    ForEachWeights(step, [&](const Weights& weights, std::string_view name) {
      checker.Check(weights, where, supermerger);
      if (!weights.elemental()) return;
      for (const std::string& sentence : weights.elemental()->Idle(places)) {
        plan.warnings.push_back(fmt::format("{}: '{}': {}", where, name, sentence));
      }
    });
    const bool own = !AreSameRows(step.policies.missing, plan.policies.missing);
    checker.Check(step.policies.missing, (own ? where + ": " : "") + "policy 'missing'");
    for (const TensorFilter& filter : step.where) {
      for (const auto* selectors : {&filter.components, &filter.blocks}) {
        for (const Selector& selector : *selectors) {
          const std::vector<PlaceRow<double>> row{{selector, 1.0, {}}};
          checker.Check(Weights(row), where + ": 'where'");
        }
      }
      for (const Selector& name : filter.names) checker.CheckName(name, where + ": 'where'");
    }
  }
  checker.Check(plan.policies.missing, "policy 'missing'");
  for (const OutputPlan& output : plan.outputs) checker.Check(output.spec.dtype, "'dtype'");
}

}  // namespace weightsmith::internal
