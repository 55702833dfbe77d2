#include <weightsmith/model.h>

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/output_name.h"
#include "core/model/output_layout.h"
#include "recipes/api/guarded.h"
#include "recipes/api/model_node.h"
#include "recipes/api/model_recipe.h"
#include "recipes/api/plan_result.h"
#include "recipes/api/report_result.h"
#include "recipes/api/watch.h"
#include "recipes/show.h"

namespace weightsmith {
namespace {

Model NewModel(internal::ModelSource source) {
  auto shared = std::make_shared<const internal::ModelSource>(std::move(source));
  return Model(std::make_shared<const internal::ModelNode>(std::move(shared), Policies()));
}

internal::PreparedPlan Prepare(const internal::ModelRecipe& recipe) {
  internal::Diagnostics diagnostics;
  const internal::Recipe read = internal::ReadGenerated(recipe.source, recipe.options, diagnostics);
  internal::Plan plan = internal::PlanOfGenerated(read, recipe.options, diagnostics);
  return internal::PreparedPlan(std::move(plan), diagnostics);
}

/// Good as long as the node.
const internal::PlannedSource& Planned(const Model& model) {
  const internal::ModelNode& node = *model.state();
  return internal::Guarded([&]() -> const internal::PlannedSource& {
    const std::scoped_lock lock(node.mutex);
    if (!node.planned) {
      internal::ModelRecipe recipe = internal::RecipeOf(model, {});
      recipe.options.difference_as_output = true;
      node.planned.emplace(Prepare(recipe));
    }
    return *node.planned;
  });
}

void ExpectNameOfOutput(const std::filesystem::path& path, const SaveOptions& options) {
  const auto layout = internal::OutputLayoutByWord(options.layout);
  const auto form =
      internal::FormOf(layout.value_or(internal::OutputLayout::kKeep), options.split, path);
  const bool file = form == internal::FileForm::kOne;
  internal::ExpectOutputName(path,
                             file ? internal::OutputKind::kFile : internal::OutputKind::kFolder);
}

const internal::Operator& OperatorNamed(const std::string& name) {
  if (const internal::Operator* const op = internal::FindOperator(name)) return *op;
  std::vector<std::string> known;
  for (const internal::Operator* const op : internal::Operators()) known.emplace_back(op->name);
  throw Error(ErrorCode::kUsage, fmt::format("there is no operator {}.{}", internal::Quote(name),
                                             internal::DidYouMean(name, known)));
}

void ExpectParameter(const internal::Operator& op, const std::string& name) {
  std::vector<std::string> known;
  for (const internal::ParameterSpec& spec : op.parameters) known.emplace_back(spec.name);
  if (!op.where.empty()) known.emplace_back(internal::kWhere);
  if (std::ranges::find(known, name) != known.end()) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("{} has no parameter {}.{}", op.name, internal::Quote(name),
                          internal::DidYouMean(name, known)));
}

Value StrengthOf(const Adapter& adapter) {
  if (!adapter.te_strength) return adapter.strength;
  const Value::Any& strength = adapter.strength.any();
  ByPlace places;
  if (const auto* const given = std::get_if<ByPlace>(&strength)) {
    places = *given;
    std::erase_if(places, [](const auto& row) { return row.first == "te"; });
  } else if (std::holds_alternative<double>(strength) ||
             std::holds_alternative<std::int64_t>(strength)) {
    places.emplace_back("default", adapter.strength);
  } else {
    throw Error(ErrorCode::kUsage, "te_strength goes with a strength that is a number, or by place",
                "Write one row for te.");
  }
  places.emplace_back("te", *adapter.te_strength);
  return places;
}

}  // namespace

Model Model::Open(const std::filesystem::path& path, const std::string& key) {
  return Of(Checkpoint::Open(path, key));
}
Model Model::Of(const Checkpoint& checkpoint) {
  return NewModel(checkpoint.state());
}
Model Model::Of(const Adapter& adapter) {
  return NewModel(adapter);
}

Model Model::Bake(const std::vector<Adapter>& adapters) const {
  if (adapters.empty()) throw Error(ErrorCode::kUsage, "bake: no adapter is given");
  Step step{.op = "bake", .operands = {*this}};
  for (const Adapter& adapter : adapters) step.list.emplace_back(Of(adapter), StrengthOf(adapter));
  return Apply(std::move(step));
}
Model Model::Bake(const std::filesystem::path& adapter, Value strength) const {
  return Bake(std::vector{Adapter{.path = adapter, .strength = std::move(strength)}});
}

Model Model::With(Policies policies) const {
  return Model(std::make_shared<const internal::ModelNode>(node_->source, std::move(policies)));
}

const std::vector<std::string>& Model::names() const {
  return Planned(*this).names;
}
bool Model::Contains(std::string_view name) const {
  return std::ranges::binary_search(names(), name);
}

Tensor Model::operator[](std::string_view name) const {
  const internal::PlannedSource& planned = Planned(*this);
  return internal::Guarded(
      [&] { return Checkpoint(planned.prepared.ComputeTensor(std::string(name), [] {}))[name]; });
}

Checkpoint Model::Compute(const RunOptions& options) const {
  const internal::PlannedSource& planned = Planned(*this);
  return internal::Guarded([&] {
    return Checkpoint(internal::Watch(options, "computing").Run([&](const auto& engine) {
      return planned.prepared.Compute(engine);
    }));
  });
}

weightsmith::Plan Model::Plan(const RunOptions& options) const {
  const internal::PlannedSource& planned = Planned(*this);
  return internal::Guarded([&] {
    return internal::PlanResultOf(planned.prepared, internal::Watch(options, "").options());
  });
}

std::string Model::ToRecipe() const {
  return internal::Guarded([&] {
    const internal::ModelRecipe recipe = internal::RecipeOf(*this, {});
    if (recipe.in_memory) {
      throw Error(ErrorCode::kUsage,
                  "a recipe names files, and this model is made of tensors in memory",
                  "Save them first.");
    }
    internal::Diagnostics diagnostics;
    return internal::ShowRecipe(
        internal::ReadGenerated(recipe.source, recipe.options, diagnostics));
  });
}

Report Model::Save(const std::filesystem::path& path) const {
  return Save(path, {});
}
Report Model::Save(const std::filesystem::path& path, const SaveOptions& options,
                   const RunOptions& run) const {
  return internal::Guarded([&] {
    internal::Watch watch(run, "merging");
    ExpectNameOfOutput(path, options);
    internal::ModelRecipe recipe = internal::RecipeOf(*this, options);
    recipe.options.output_path = path;
    recipe.options.sha256 = run.sha256;
    recipe.options.private_metadata = options.private_metadata;
    const internal::PreparedPlan prepared = Prepare(recipe);
    const internal::Report report =
        watch.Run([&](const auto& engine) { return prepared.Run(engine); });
    return internal::ReportResultOf(prepared, report);
  });
}

Model Apply(Step step) {
  const internal::Operator& op = OperatorNamed(step.op);
  const std::size_t given = step.operands.size();
  if (given < internal::RequiredOperands(op) || given > op.operands.size()) {
    throw Error(ErrorCode::kUsage, fmt::format("{} takes {} operands, and {} are given", op.name,
                                               op.operands.size(), step.operands.size()));
  }
  if (!op.list && !step.list.empty()) {
    throw Error(ErrorCode::kUsage, fmt::format("{} takes no list of operands", op.name));
  }
  for (const auto& [name, value] : step.parameters) ExpectParameter(op, name);
  return NewModel(internal::ModelStep{&op, std::move(step.operands), std::move(step.list),
                                      std::move(step.parameters), std::move(step.policies)});
}

Model Apply(std::string_view op, std::vector<Model> operands, Parameters parameters) {
  Step step{
      .op = std::string(op), .operands = std::move(operands), .parameters = std::move(parameters)};
  const internal::Operator& declared = OperatorNamed(step.op);
  const std::size_t named =
      declared.list ? internal::RequiredOperands(declared) : declared.operands.size();
  if (declared.list && !declared.list->weighted && step.operands.size() > named) {
    for (const Model& model : std::span(step.operands).subspan(named))
      step.list.emplace_back(model);
    step.operands.erase(step.operands.begin() + static_cast<std::ptrdiff_t>(named),
                        step.operands.end());
  }
  return Apply(std::move(step));
}

}  // namespace weightsmith
