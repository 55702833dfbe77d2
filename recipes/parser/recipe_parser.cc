#include "recipes/parser/recipe_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "recipes/parser/examples.h"
#include "recipes/parser/policies.h"
#include "recipes/parser/seeds.h"
#include "recipes/parser/splice.h"
#include "recipes/parser/unnamed.h"
#include "recipes/source/foreign_recipe.h"
#include "recipes/source/writer.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kVersion = "1";

}  // namespace

RecipeParser::RecipeParser(const RecipeOptions& options, Diagnostics& diagnostics,
                           std::vector<std::filesystem::path> chain)
    : options_(options),
      diagnostics_(diagnostics),
      chain_(std::move(chain)),
      variables_(diagnostics),
      reader_(diagnostics, variables_),
      graph_(diagnostics),
      outputs_(options, reader_, graph_) {}

std::optional<Recipe> RecipeParser::Parse(const SourceText& source,
                                          const std::filesystem::path& file,
                                          const std::filesystem::path& folder) {
  const auto errors = [&] {
    return std::ranges::count(diagnostics_.all(), Severity::kError, &Diagnostic::severity);
  };
  const auto before = errors();
  recipe_.folder = folder;
  if (options_.presets) {
    presets_ = ReadPresets(*options_.presets);
    recipe_.files_read.push_back({*options_.presets, "list of presets"});
  }
  recipe_.source = std::make_shared<const SourceText>(source);
  chain_.push_back(file.lexically_normal());
  std::optional<SourceNode> top = ReadSource(recipe_.source, diagnostics_);
  if (!top) {
    if (errors() == before) {
      diagnostics_.AddError({recipe_.source, 1, 1}, "the recipe is empty",
                            std::string(RecipeExample()));
    }
    return std::nullopt;
  }
  if (!CheckTop(*top)) return std::nullopt;

  TablesRead tables = ReadTables(reader_, *top, file, folder);
  std::map<std::string, ModelEntry>& entries = tables.models;
  if (!tables.whole) graph_.SetIncomplete();
  for (std::filesystem::path& path : tables.included) {
    recipe_.files_read.push_back({std::move(path), "included table"});
  }
  ReadVariables(*top, entries);
  if (const SourceNode* policy = top->Find("policy")) {
    ReadPolicies(reader_, *policy, "", recipe_.policies);
    for (const SourceNode& value : policy->items) {
      for (const SourceNode& row : value.keys) recipe_.policy_rows.emplace(row.text, row.place);
    }
  }
  for (const auto& [key, value] : options_.policies) {
    ReadPolicyOption(reader_, key, value, recipe_.policies);
  }
  ReadModels(entries);
  StepReader steps(reader_, graph_, recipe_.policies, presets_);
  ReadSteps(*top, steps);
  outputs_.Read(*top, steps, folder);
  graph_.Link();
  outputs_.Link();
  if (errors() > before) return std::nullopt;
  WarnOfUnused();
  CheckSeeds(graph_, graph_.Reachable(outputs_.Roots()), diagnostics_);
  MakeNodes();
  if (errors() > before) return std::nullopt;
  recipe_.variables = variables_.Used();
  return std::move(recipe_);
}

bool RecipeParser::CheckTop(SourceNode& top) {
  if (auto foreign = ForeignTree(top)) {
    diagnostics_.AddError({recipe_.source, 1, 1}, std::move(foreign->message),
                          std::move(foreign->advice));
    return false;
  }
  if (!reader_.IsMap(top, "a recipe", "Write as its first line: weightsmith: 1")) return false;
  const std::vector<std::string> keys = NamesOf(RecipeKeys());
  if (reader_.HasStrayEntries(top, keys)) return false;
  const LooseSteps loose = TakeLooseSteps(diagnostics_, top);
  if (!loose.readable) return false;
  if (loose.found) graph_.SetIncomplete();
  const auto meant = reader_.CheckKeys(top, keys, "a recipe");
  if (!meant.empty()) top = WithMeantKeys(top, meant);
  NameUnnamed(diagnostics_, top);
  step_name_ = NameForStep(top);
  outputs_.SetStepName(step_name_);
  for (std::size_t i = 0; i < top.keys.size(); ++i) {
    const bool known = std::ranges::find(keys, top.keys[i].text) != keys.end();
    if (!known && !top.items[i].scalar()) graph_.SetIncomplete();
  }
  const std::string advice = fmt::format("Write as its first line: weightsmith: {}", kVersion);
  const SourceNode* version = top.Find("weightsmith");
  if (version == nullptr) {
    diagnostics_.AddError(top.place,
                          "the recipe does not say which version of the language it is in", advice);
  } else if (!IsReported(*version) && (!version->scalar() || version->text != kVersion)) {
    diagnostics_.AddError(
        version->place,
        fmt::format("the language of recipes has version {}, not {}", kVersion, Describe(*version)),
        advice);
  }
  return true;
}

void RecipeParser::ReadVariables(SourceNode& top, std::map<std::string, ModelEntry>& entries) {
  for (const auto& [name, value] : options_.variables) variables_.Override(name, value);
  for (auto& [name, entry] : entries) variables_.Mention(name);
  if (const SourceNode* steps = top.Find("steps")) {
    for (const SourceNode& step : steps->keys) variables_.Mention(step.text);
  }
  for (auto& [name, entry] : entries) variables_.Substitute(entry.value);
  for (std::size_t i = 0; i < top.items.size(); ++i) {
    const std::string& key = top.keys[i].text;
    const bool table = key == "vars" || key == "models" || key == "adapters" || key == "include";
    if (!table) variables_.Substitute(top.items[i]);
  }
}

void RecipeParser::ReadModels(const std::map<std::string, ModelEntry>& entries) {
  for (const auto& [name, entry] : entries) {
    CheckName(reader_, entry.key, entry.adapter ? "adapter" : "model");
    ModelDeclaration declaration =
        entry.adapter ? ReadAdapterEntry(reader_, entry) : ReadModel(reader_, entry);
    DraftNode leaf;
    if (entry.adapter || options_.differences.contains(name)) leaf.node.kind = Kind::kDelta;
    leaf.node.name = name;
    leaf.node.model = static_cast<std::uint32_t>(declarations_.size());
    leaf.place = entry.key.place;
    leaf.included = entry.included;
    graph_.Declare(name, graph_.Add(std::move(leaf)), entry.key.place);
    declarations_.push_back(std::move(declaration));
  }
}

void RecipeParser::ReadSteps(const SourceNode& top, StepReader& step_reader) {
  const SourceNode* steps = top.Find("steps");
  if (steps == nullptr) return;
  if (!reader_.IsMap(*steps, "steps",
                     steps->map() ? "" : StepsAdvice(*steps, step_name_, FilesOf(graph_)))) {
    graph_.SetIncomplete();
    return;
  }
  if (const SourceNode* op = steps->Find("op"); op != nullptr && op->scalar()) {
    std::vector<std::string> empty;
    for (std::size_t i = 0; i < steps->keys.size(); ++i) {
      if (steps->items[i].implicit) empty.push_back(steps->keys[i].text);
    }
    if (reader_.HasStrayEntries(*steps, empty)) {
      graph_.SetIncomplete();
      return;
    }
  }
  for (std::size_t i = 0; i < steps->keys.size(); ++i) {
    const SourceNode& key = steps->keys[i];
    CheckName(reader_, key, "step");
    const NodeId id = step_reader.Read(key.text, steps->items[i], true);
    graph_.at(id).place = key.place;
    graph_.Declare(key.text, id, key.place);
  }
}

void RecipeParser::WarnOfUnused() {
  const std::vector<bool> used = graph_.Reachable(outputs_.Roots());
  for (NodeId id = 0; id < used.size(); ++id) {
    const DraftNode& draft = graph_.nodes()[id];
    const bool named = draft.top_level || (draft.node.leaf() && !draft.included);
    if (used[id] || !named || options_.output_step) continue;
    diagnostics_.AddWarning(draft.place, fmt::format("nothing uses the {} {}",
                                                     draft.top_level                   ? "step"
                                                     : draft.node.kind == Kind::kDelta ? "adapter"
                                                                                       : "model",
                                                     Quote(draft.node.name)));
  }
  if (!options_.output_step) variables_.WarnOfUnused();
}

void RecipeParser::MakeNodes() {
  const std::vector<bool> used = graph_.Reachable(outputs_.Roots());
  std::vector<NodeId> numbers(graph_.nodes().size(), 0);
  // Files first: a recipe among the models may share them.
  for (const bool files : {true, false}) {
    for (const NodeId id : graph_.order()) {
      const DraftNode& draft = graph_.nodes()[id];
      const bool is_file = draft.node.leaf() && !declarations_[*draft.node.model].recipe;
      if (!used[id] || is_file != files) continue;
      if (draft.node.leaf() && !is_file) {
        numbers[id] = Splice(draft.node.name, declarations_[*draft.node.model]);
        continue;
      }
      Node node = draft.node;
      for (NodeId& operand : node.operands) operand = numbers[operand];
      for (NodeId& entry : node.list) entry = numbers[entry];
      if (is_file) {
        recipe_.models.push_back(declarations_[*node.model].model);
        node.model = static_cast<std::uint32_t>(recipe_.models.size() - 1);
      }
      numbers[id] = static_cast<NodeId>(recipe_.nodes.size());
      recipe_.nodes.push_back({std::move(node), draft.place, draft.rows});
    }
  }
  for (OutputDraft& draft : outputs_.drafts()) {
    draft.output.root = numbers[draft.output.root];
    for (auto& [component, node] : draft.output.components) node = numbers[node];
    if (draft.path_place) draft.output.place = *draft.path_place;
    recipe_.outputs.push_back(std::move(draft.output));
  }
}

NodeId RecipeParser::Splice(const std::string& name, const ModelDeclaration& declaration) {
  const std::filesystem::path& path = *declaration.recipe;
  if (std::ranges::find(chain_, path.lexically_normal()) != chain_.end()) {
    diagnostics_.AddError(declaration.recipe_place,
                          fmt::format("recipes form a cycle: {} uses itself", Quote(path.string())),
                          "Remove this model, or give another recipe.");
    return 0;
  }
  constexpr std::size_t kDeepest = 64;
  if (chain_.size() > kDeepest) {
    diagnostics_.AddError(declaration.recipe_place,
                          fmt::format("recipes use each other more than {} deep", kDeepest),
                          "Write an intermediate result, and use that.");
    return 0;
  }
  const auto text = ReadNamedRecipe(diagnostics_, declaration.recipe_place, path);
  if (!text) return 0;
  RecipeOptions none;
  none.check_output_names = false;  // it is not written
  const auto inner =
      RecipeParser(none, diagnostics_, chain_).Parse(*text, path, path.parent_path());
  if (!inner) return 0;
  for (const PolicySpec& policy : PolicyTable()) {
    if (policy.per_step || policy.current(inner->policies) == policy.current(recipe_.policies)) {
      continue;
    }
    const auto word = [&](const Policies& policies) {
      return policy.values[policy.current(policies)].name;
    };
    diagnostics_.AddError(
        declaration.recipe_place,
        fmt::format(
            "model {}: its recipe has the policy {}: {}, and this recipe has {}; one run has "
            "one value",
            Quote(name), policy.name, word(inner->policies), word(recipe_.policies)),
        fmt::format("Write the same policy: {{{}: …}} in both.", policy.name));
  }
  recipe_.files_read.push_back({path, "recipe"});
  recipe_.files_read.insert(recipe_.files_read.end(), inner->files_read.begin(),
                            inner->files_read.end());
  return SpliceRecipe(name, *inner, recipe_);
}

}  // namespace weightsmith::internal
