#include "recipes/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/monolithic_names.h"
#include "core/model/naming.h"
#include "core/model/views/component_views.h"
#include "recipes/jobs/adapter_info.h"
#include "recipes/metadata.h"
#include "recipes/open_models.h"

namespace weightsmith::internal {
namespace {

OutputSpec MakeOutput(const RecipeOutput& output, const Expression& expression,
                      const RecipeOptions& options) {
  OutputSpec spec;
  spec.root = output.root;
  spec.path = output.path ? *output.path : *options.output_path;
  spec.dtype = output.dtype;
  spec.rounding = output.rounding;
  spec.layout = output.layout;
  spec.split = output.split;
  spec.max_shard_size = output.max_shard_size;
  spec.files_from = output.files_from;
  for (const auto& [word, node] : output.components) {
    const auto names = ComponentsNamed(word, expression.models);
    if (names.empty()) {
      throw Error(ErrorCode::kMismatch,
                  fmt::format("output: 'components' names {}, and no model of the recipe has it",
                              Quote(word)),
                  fmt::format("The models have {}.", ComponentsInWords(expression.models)));
    }
    for (const std::string& name : names) spec.components[name] = node;
  }
  return spec;
}

/// A text encoder in the other naming than the model's has is read in the model's.
void ReadInNamingOf(const ArchitectureRow& parent, Model::Part& part) {
  if (part.anatomy.layout != "hf") return;
  for (const ComponentRule& component : parent.components()) {
    if (component.name != part.anatomy.part->id || NamingOf(component) == nullptr) continue;
    if (auto view = LocalView(*part.checkpoint, component)) {
      part.checkpoint = std::move(view);
      part.anatomy = Examine(*part.checkpoint);
    }
  }
}

/// A file of one component does not know what its tensors are called in a whole model.
void NameParts(std::vector<Model>& models) {
  const ArchitectureRow* parent = nullptr;
  for (const Model& model : models) {
    for (const Model::Part& part : model.parts) {
      if (parent == nullptr) parent = part.anatomy.row.get();
    }
  }
  if (parent == nullptr) return;
  for (Model& model : models) {
    for (Model::Part& part : model.parts) {
      if (part.anatomy.part == nullptr) continue;
      ReadInNamingOf(*parent, part);
      NameWithin(part.anatomy, *parent);
    }
  }
}

void AddLeaves(const Expression& expression, NodeId id, std::set<std::uint32_t>& models) {
  const Node& node = expression.nodes[id];
  if (node.leaf()) models.insert(*node.model);
  for (const NodeId operand : node.operands) AddLeaves(expression, operand, models);
  for (const NodeId operand : node.list) AddLeaves(expression, operand, models);
}

/// A model that another completes may lack what its architecture is known by: it is one of that
/// other's.
void NameIncomplete(Expression& expression) {
  for (const Node& node : expression.nodes) {
    if (node.leaf() || !node.op->falls_back) continue;
    std::set<std::uint32_t> models;
    for (const NodeId operand : node.operands) AddLeaves(expression, operand, models);
    const Anatomy* like = nullptr;
    for (const std::uint32_t model : models) {
      for (const Model::Part& part : expression.models[model].parts) {
        if (like == nullptr && part.anatomy.architecture != nullptr) like = &part.anatomy;
      }
    }
    if (like == nullptr) continue;
    for (const std::uint32_t model : models) {
      if (expression.models[model].adapter != nullptr) continue;
      for (Model::Part& part : expression.models[model].parts) {
        if (part.component || part.anatomy.id != "unknown") continue;
        if (auto anatomy = ExamineAs(*like, *part.checkpoint)) part.anatomy = *std::move(anatomy);
      }
    }
  }
}

/// Adapters among models of a known architecture stand in the wrong table. Adapters alone may be
/// merged as what they are.
void RefuseAdapters(const std::vector<RecipeModel>& written, const std::vector<Model>& models,
                    Diagnostics& diagnostics) {
  const auto known = [](const Model& model) {
    return std::ranges::any_of(
        model.parts, [](const Model::Part& part) { return part.anatomy.architecture != nullptr; });
  };
  if (std::ranges::none_of(models, known)) return;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const Model& model = models[i];
    if (model.adapter != nullptr || model.parts.size() != 1 || known(model)) continue;
    if (!FindAdapter(model.parts.front().checkpoint)) continue;
    const FileReference& file = written[i].parts.front().file;
    diagnostics.AddError(
        file.place,
        Error(ErrorCode::kMismatch,
              fmt::format("model {}: the file is a LoRA or another adapter, not a model",
                          Quote(model.name)),
              fmt::format("Move it to the table 'adapters', and bake it into a model: {{op: bake, "
                          "model: …, adapters: [\"{}:0.6\"]}}",
                          model.name)));
  }
}

}  // namespace

std::optional<ResolvedRecipe> Resolve(const Recipe& recipe, const RecipeOptions& options,
                                      Diagnostics& diagnostics) {
  for (const RecipeOutput& output : recipe.outputs) {
    if (output.path || options.output_path) continue;
    const std::string& root = recipe.nodes.at(output.root).node.name;
    diagnostics.AddError(
        output.place, output.declared ? "the output has no path" : "the recipe has no output",
        output.declared
            ? fmt::format("Write path: {}.safetensors, or name a file for this run.", root)
            : fmt::format("Write output: {{model: {0}, path: {0}.safetensors}}, or name "
                          "a file for this run.",
                          root));
  }
  if (diagnostics.HasErrors()) return std::nullopt;

  const Recipe used = WithoutUnused(recipe);
  ModelOpener opener(options);
  ResolvedRecipe resolved;
  Expression& expression = resolved.expression;
  expression.policies = used.policies;
  for (const RecipeModel& model : used.models) {
    expression.models.push_back(opener.Open(model, diagnostics));
  }
  if (!diagnostics.HasErrors()) RefuseAdapters(used.models, expression.models, diagnostics);
  if (diagnostics.HasErrors()) return std::nullopt;
  for (const RecipeNode& node : used.nodes) expression.nodes.push_back(node.node);
  NameIncomplete(expression);
  NameParts(expression.models);
  for (std::size_t i = 0; i < used.outputs.size(); ++i) {
    OutputSpec spec = MakeOutput(used.outputs[i], expression, options);
    spec.metadata = MakeMetadata(used, i, expression, opener, options);
    resolved.outputs.push_back(std::move(spec));
  }
  return resolved;
}

}  // namespace weightsmith::internal
