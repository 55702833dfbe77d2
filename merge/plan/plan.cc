#include "merge/plan/plan.h"

#include <string>
#include <utility>

#include "merge/operator.h"
#include "merge/plan/planner.h"

namespace weightsmith::internal {

Plan MakePlan(const Expression& expression, std::vector<OutputSpec> outputs) {
  return Planner(expression, std::move(outputs)).Make();
}

TensorInfo InfoOf(const Task& task, const Product& product) {
  if (product.copy) return task.sources[*product.copy].info;
  return {product.dtype, product.numbers ? product.numbers->shape : task.shape};
}

std::set<std::uint32_t> ProbedSteps(const Plan& plan) {
  std::set<std::uint32_t> steps;
  for (const Task& task : plan.tasks) {
    for (const Probe& probe : task.tape.probes) steps.insert(probe.step);
  }
  return steps;
}

std::optional<std::uint32_t> WidestStep(const Plan& plan, const Task& task) {
  std::optional<std::uint32_t> widest;
  OperatorClass form = OperatorClass::kElementwise;
  for (const Probe& probe : task.tape.probes) {
    const Operator* const op = FindOperator(plan.steps[probe.step].op);
    const OperatorClass own = op != nullptr ? ClassOf(*op) : OperatorClass::kElementwise;
    if (widest && own <= form) continue;
    widest = probe.step;
    form = own;
  }
  return widest;
}

std::vector<std::size_t> RowsRead(const Task& task, std::size_t pass) {
  if (task.rows.empty()) return {};
  const std::size_t operands = task.sources.size() + task.deltas.size();
  std::vector<bool> kept(task.kept_count);
  const auto add = [&](std::span<const Register> read) {
    for (const Register operand : read) {
      if (operand >= operands) kept[operand - operands] = true;
    }
  };
  if (pass < task.passes.size()) {
    add(task.passes[pass].operands);
  } else {
    for (const KeptIndex index : task.kept) kept[index] = true;
    add(task.findings.operands);
  }
  std::vector<std::size_t> rows;
  for (std::size_t r = task.rows.size(); r-- > 0;) {
    if (!kept[task.rows[r].out]) continue;
    add(task.rows[r].operands);
    rows.insert(rows.begin(), r);
  }
  return rows;
}

std::vector<const Source*> CompanionsRead(const Task& task) {
  std::set<CompanionIndex> read;
  for (const Pass& pass : task.passes) {
    for (const Transform& transform : pass.transforms) {
      read.insert(transform.companions.begin(), transform.companions.end());
    }
  }
  std::vector<const Source*> companions;
  for (const CompanionIndex index : read) companions.push_back(&task.companions[index]);
  return companions;
}

std::vector<std::string_view> TermNames(const Plan& plan) {
  std::vector<std::string_view> names;
  for (const Model& model : plan.models) names.push_back(model.name);
  for (const Averages& averages : plan.averages) names.push_back(averages.name);
  return names;
}

std::vector<std::vector<std::set<std::uint32_t>>> TensorsRead(const Plan& plan) {
  std::vector<std::vector<std::set<std::uint32_t>>> read;
  for (const Model& model : plan.models) read.emplace_back(model.parts.size());
  for (const Task& task : plan.tasks) {
    for (const Source& source : task.sources) {
      read[source.model][source.part].insert(source.tensor);
      if (source.scale) read[source.model][source.part].insert(source.scale->tensor);
    }
    for (const Source* source : CompanionsRead(task)) {
      read[source->model][source->part].insert(source->tensor);
    }
    for (const DeltaSource& delta : task.deltas) {
      for (const AdapterPart& part : delta.parts) {
        for (const auto& [role, tensor] : part.module->tensors) {
          read[delta.model].front().insert(tensor);
        }
      }
    }
  }
  return read;
}

RunDigests BlankDigests(const Plan& plan) {
  RunDigests digests;
  const auto read = TensorsRead(plan);
  for (std::size_t m = 0; m < plan.models.size(); ++m) {
    auto& parts = digests.inputs.emplace_back();
    for (std::size_t p = 0; p < plan.models[m].parts.size(); ++p) {
      parts.push_back({std::string(kNoDigest), read[m][p].size(),
                       plan.models[m].parts[p].checkpoint->tensors().size()});
    }
  }
  digests.output = kNoDigest;
  return digests;
}

}  // namespace weightsmith::internal
