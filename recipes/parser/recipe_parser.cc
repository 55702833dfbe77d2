#include "recipes/parser/recipe_parser.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "recipes/parser/examples.h"
#include "recipes/parser/policies.h"
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
      graph_(diagnostics) {}

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
  }
  for (const auto& [key, value] : options_.policies) {
    ReadPolicyOption(reader_, key, value, recipe_.policies);
  }
  ReadModels(entries);
  ReadSteps(*top);
  ReadOutputs(*top);
  graph_.Link();
  LinkOutputs();
  if (errors() > before) return std::nullopt;
  WarnOfUnused();
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

void RecipeParser::ReadSteps(const SourceNode& top) {
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
  StepReader step_reader(reader_, graph_, recipe_.policies, presets_);
  for (std::size_t i = 0; i < steps->keys.size(); ++i) {
    const SourceNode& key = steps->keys[i];
    CheckName(reader_, key, "step");
    const NodeId id = step_reader.Read(key.text, steps->items[i], true);
    graph_.at(id).place = key.place;
    graph_.Declare(key.text, id, key.place);
  }
}

void RecipeParser::ReadOutputs(const SourceNode& top) {
  const SourceNode* one = top.Find("output");
  const SourceNode* several = top.Find("outputs");
  StepReader steps(reader_, graph_, recipe_.policies, presets_);
  if (one != nullptr && several != nullptr) {
    const auto key = std::ranges::find(top.keys, "outputs", &SourceNode::text);
    std::string together = FlowText(*one, 100);
    for (const SourceNode& output : several->items) {
      if (several->list()) together += ", " + FlowText(output, 100);
    }
    diagnostics_.AddError(key->place, "the recipe has 'output' and 'outputs'",
                          fmt::format("Remove output, and write outputs: [{}]", together));
  }
  if (one != nullptr) {
    outputs_.push_back(
        ReadOutput(reader_, steps, *one, {"output", OutputExample(StepNames())}, recipe_.folder));
  } else if (several != nullptr) {
    if (!reader_.IsList(*several, "outputs", OutputsAdvice(*several))) return;
    if (several->items.empty()) {
      diagnostics_.AddError(several->place, "outputs is an empty list",
                            fmt::format("Write outputs: [{}]", OutputExample(StepNames())));
    }
    const std::string example = OutputExample(StepNames());
    for (std::size_t i = 0; i < several->items.size(); ++i) {
      outputs_.push_back(ReadOutput(reader_, steps, several->items[i],
                                    {fmt::format("outputs[{}]", i + 1), example}, recipe_.folder));
    }
    CheckPathsDiffer();
  } else {
    OutputDraft draft;
    draft.output.place = top.place;
    draft.output.declared = false;
    outputs_.push_back(std::move(draft));
  }
  ChooseOutputs();
  if (!options_.check_output_names) return;
  for (const OutputDraft& draft : outputs_) CheckOutputName(draft, diagnostics_);
}

void RecipeParser::ChooseOutputs() {
  const auto option = [](Setting setting, std::string name) {
    return SourcePlace{std::make_shared<const SourceText>(SourceText{std::move(name), "", setting}),
                       0, 0};
  };
  if (options_.output_step) ChooseStep();
  if (options_.output_path) {
    if (outputs_.size() == 1) {
      outputs_.front().output.path = options_.output_path;
      outputs_.front().path_place = option(Setting::kOutputPath, "output path");
    } else {
      diagnostics_.AddError(
          option(Setting::kOutputPath, "output path"),
          fmt::format("this is one file, and the recipe has {} outputs", outputs_.size()), {},
          {Option::kSelectOutput});
    }
  }
  if (options_.dtype) {
    const auto dtype = ReadDTypeOption(reader_, *options_.dtype);
    for (OutputDraft& draft : outputs_) {
      if (dtype) draft.output.dtype = *dtype;
    }
  }
  if (options_.rounding) {
    const auto source = std::make_shared<const SourceText>(
        SourceText{"rounding", *options_.rounding, Setting::kRounding});
    const auto rounding = ReadRounding(reader_, ReadOption(source, diagnostics_), "rounding");
    for (OutputDraft& draft : outputs_) {
      if (rounding) draft.output.rounding = *rounding;
    }
  }
  if (!options_.max_shard_size) return;
  for (OutputDraft& draft : outputs_) {
    draft.output.max_shard_size = options_.max_shard_size;
    if (!draft.output.split) continue;
    diagnostics_.AddError(option(Setting::kMaxShardSize, "shard size"),
                          "the recipe splits the output by component, and shards exclude that",
                          "Remove 'split' from the recipe, or ask for no shards.");
  }
}

void RecipeParser::ChooseStep() {
  const std::string& name = *options_.output_step;
  const auto of_that_step = [&](const OutputDraft& draft) {
    return draft.model && draft.model->name == name;
  };
  const auto written = std::ranges::find_if(outputs_, of_that_step);
  const SourcePlace place{
      std::make_shared<const SourceText>(SourceText{"output step", name, Setting::kSelectOutput}),
      0, 0};
  OutputDraft draft;
  draft.output.place = place;
  draft.model = OperandReference{name, {}, place};
  if (written != outputs_.end()) draft = std::move(*written);
  outputs_.clear();
  outputs_.push_back(std::move(draft));
}

/// The node of an output that does not name one: the only step, or the only model.
NodeId RecipeParser::DefaultModel(const OutputDraft& draft) {
  std::vector<NodeId> candidates;
  for (NodeId id = 0; id < graph_.nodes().size(); ++id) {
    if (graph_.nodes()[id].top_level) candidates.push_back(id);
  }
  if (candidates.size() != 1 && (graph_.incomplete() || draft.unread)) return 0;
  if (candidates.size() != 1) {
    const std::vector<std::string> names = StepNames();
    std::string advice = AdviceForNoSteps({});
    if (advice.empty()) advice = "Write output: {model: NAME, path: FILE.safetensors}";
    diagnostics_.AddError(draft.output.place,
                          fmt::format("the output does not name its model, and there are {} steps",
                                      names.empty() ? "no" : "several"),
                          names.empty()
                              ? advice
                              : fmt::format("Write output: {}, or model: and another of {}.",
                                            OutputExample(names), fmt::join(names, ", ")));
    return 0;
  }
  return candidates.front();
}

std::vector<std::string> RecipeParser::StepNames() const {
  std::vector<std::string> names;
  for (const DraftNode& draft : graph_.nodes()) {
    if (draft.top_level) names.push_back(draft.node.name);
  }
  return names;
}

std::string RecipeParser::AdviceForNoSteps(const std::string& asked) const {
  // What is missing may be among what could not be read.
  if (graph_.incomplete() || !StepNames().empty()) return {};
  const FileNames files = FilesOf(graph_);
  if (files.models.empty()) return {};
  const std::string_view none = asked.empty() ? "" : "The recipe has no steps. ";
  if (files.models.size() == 1 && files.adapters.empty()) {
    return fmt::format("{}Write in output model: {}", none, files.models.front());
  }
  constexpr std::size_t kShown = 40;
  const bool more = files.models.size() > kShown;
  const std::string instead = fmt::format(
      ", or in output one of {}{}.",
      fmt::join(std::span(files.models).first(more ? kShown : files.models.size()), ", "),
      more ? " and others" : "");
  return fmt::format("{}Write steps: {{{}: {}}}{}", none, asked.empty() ? step_name_ : asked,
                     ExampleOfStep(files), asked.empty() ? "" : instead);
}

void RecipeParser::CheckPathsDiffer() {
  std::map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const auto& path = outputs_[i].output.path;
    if (!path) continue;
    const auto [same, added] = first.emplace(path->lexically_normal().string(), i);
    if (added) continue;
    diagnostics_.AddError(
        outputs_[i].path_place.value_or(outputs_[i].output.place),
        fmt::format("outputs[{}] writes the same file as outputs[{}]", i + 1, same->second + 1),
        "Give it another path.");
  }
}

std::optional<NodeId> RecipeParser::ModelOf(const OutputDraft& draft) {
  if (!draft.model) return DefaultModel(draft);
  const bool missing = !draft.model->node && !graph_.Find(draft.model->name);
  return graph_.Find(*draft.model, "output", Graph::Wanted::kModel, {},
                     missing ? AdviceForNoSteps(draft.model->name) : "");
}

void RecipeParser::LinkOutputs() {
  for (OutputDraft& draft : outputs_) {
    const auto root = ModelOf(draft);
    if (root) draft.output.root = *root;
    const auto check_kind = [&](NodeId node, const SourcePlace& place) {
      const Node& found = graph_.at(node).node;
      if (found.kind != Kind::kDelta || options_.difference_as_output) return;
      diagnostics_.AddError(place,
                            fmt::format("output: {} is a delta (a difference), and an output is a "
                                        "weight (a model)",
                                        Quote(found.name)),
                            "Add it to a model with op: add.");
    };
    if (root && draft.model) check_kind(*root, draft.model->place);
    if (root && !draft.model && !graph_.nodes().empty()) check_kind(*root, draft.output.place);
    for (const auto& [component, reference] : draft.components) {
      const auto node = graph_.Find(reference, fmt::format("output: '{}'", component));
      if (!node) continue;
      check_kind(*node, reference.place);
      draft.output.components.emplace(component, *node);
    }
  }
}

void RecipeParser::WarnOfUnused() {
  std::vector<NodeId> roots;
  for (const OutputDraft& draft : outputs_) {
    roots.push_back(draft.output.root);
    for (const auto& [component, node] : draft.output.components) roots.push_back(node);
  }
  const std::vector<bool> used = graph_.Reachable(roots);
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
  std::vector<NodeId> roots;
  for (const OutputDraft& draft : outputs_) {
    roots.push_back(draft.output.root);
    for (const auto& [component, node] : draft.output.components) roots.push_back(node);
  }
  const std::vector<bool> used = graph_.Reachable(roots);
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
  for (OutputDraft& draft : outputs_) {
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
