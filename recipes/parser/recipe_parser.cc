#include "recipes/parser/recipe_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "recipes/parser/policies.h"
#include "recipes/parser/splice.h"
#include "recipes/vocabulary.h"

namespace weightsmith {
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

std::optional<Recipe> RecipeParser::Parse(const std::string& text, const std::string& name,
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
  recipe_.source = std::make_shared<const SourceText>(SourceText{name, text});
  chain_.push_back(file.lexically_normal());
  std::optional<SourceNode> top = ReadSource(recipe_.source, diagnostics_);
  if (!top) {
    if (errors() == before) diagnostics_.AddError({recipe_.source, 0, 0}, "the recipe is empty");
    return std::nullopt;
  }
  if (!CheckTop(*top)) return std::nullopt;

  std::vector<std::filesystem::path> included;
  std::map<std::string, ModelEntry> entries = ReadTables(reader_, *top, file, folder, included);
  for (std::filesystem::path& path : included) {
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

bool RecipeParser::CheckTop(const SourceNode& top) {
  if (!reader_.IsMap(top, "a recipe", "It begins with: weightsmith: 1")) return false;
  reader_.CheckKeys(top, NamesOf(RecipeKeys()), "a recipe");
  const SourceNode* version = top.Find("weightsmith");
  if (version == nullptr) {
    diagnostics_.AddError(top.place, "the recipe does not say its version",
                          "Write as its first line: weightsmith: 1");
  } else if (!version->scalar() || version->text != kVersion) {
    diagnostics_.AddError(version->place,
                          fmt::format("this program reads version {} of the language, not {}",
                                      kVersion, Describe(*version)));
  }
  return true;
}

void RecipeParser::ReadVariables(SourceNode& top, std::map<std::string, ModelEntry>& entries) {
  for (const auto& [name, value] : options_.variables) variables_.Override(name, value);
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
  if (!reader_.IsMap(*steps, "steps", "Write names and steps: {mix: {op: weighted_sum, …}}"))
    return;
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
    diagnostics_.AddError(several->place, "a recipe has 'output' or 'outputs', not both");
  }
  if (one != nullptr) {
    outputs_.push_back(ReadOutput(reader_, steps, *one, "output", recipe_.folder));
  } else if (several != nullptr) {
    if (!reader_.IsList(*several, "outputs", "Write - {model: …, path: …} for each.")) return;
    if (several->items.empty()) {
      diagnostics_.AddError(several->place, "outputs is a list without entries");
    }
    for (std::size_t i = 0; i < several->items.size(); ++i) {
      outputs_.push_back(ReadOutput(reader_, steps, several->items[i],
                                    fmt::format("outputs[{}]", i + 1), recipe_.folder));
    }
  } else {
    OutputDraft draft;
    draft.output.place = top.place;
    outputs_.push_back(std::move(draft));
  }
  ChooseOutputs();
  if (!options_.check_output_names) return;
  for (const OutputDraft& draft : outputs_) CheckOutputName(draft, diagnostics_);
}

void RecipeParser::ChooseOutputs() {
  const auto option = [](std::string_view name) {
    return SourcePlace{std::make_shared<const SourceText>(SourceText{std::string(name), ""}), 0, 0};
  };
  if (options_.output_step) ChooseStep();
  if (options_.output_path) {
    if (outputs_.size() == 1) {
      outputs_.front().output.path = options_.output_path;
      outputs_.front().path_place = option("-o");
    } else {
      diagnostics_.AddError(
          option("-o"),
          fmt::format("the recipe has {} outputs, and -o names one file", outputs_.size()),
          "Choose one with --step.");
    }
  }
  if (options_.dtype) {
    const auto dtype = ReadDTypeOption(reader_, *options_.dtype);
    for (OutputDraft& draft : outputs_) {
      if (dtype) draft.output.dtype = *dtype;
    }
  }
  if (options_.rounding) {
    const auto source =
        std::make_shared<const SourceText>(SourceText{"--rounding", *options_.rounding});
    const auto rounding = ReadRounding(reader_, ReadOption(source, diagnostics_), "rounding");
    for (OutputDraft& draft : outputs_) {
      if (rounding) draft.output.rounding = *rounding;
    }
  }
  if (!options_.max_shard_size) return;
  for (OutputDraft& draft : outputs_) {
    draft.output.max_shard_size = options_.max_shard_size;
    if (!draft.output.split) continue;
    diagnostics_.AddError(option("--max-shard-size"),
                          "the output is split by component, and not into shards",
                          "Leave out one of 'split' and --max-shard-size.");
  }
}

void RecipeParser::ChooseStep() {
  const std::string& name = *options_.output_step;
  const auto of_that_step = [&](const OutputDraft& draft) {
    return draft.model && draft.model->name == name;
  };
  const auto written = std::ranges::find_if(outputs_, of_that_step);
  const SourcePlace place{std::make_shared<const SourceText>(SourceText{"--step", name}), 0, 0};
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
  if (candidates.size() != 1) {
    std::vector<std::string> names;
    for (const NodeId id : candidates) names.push_back(graph_.nodes()[id].node.name);
    diagnostics_.AddError(
        draft.output.place,
        candidates.empty() ? "the output does not say its model, and there are no steps"
                           : "the output does not say its model, and there are several steps",
        candidates.empty() ? "Write output: {model: NAME, path: FILE}."
                           : fmt::format("Write model: and one of {}.", fmt::join(names, ", ")));
    return 0;
  }
  return candidates.front();
}

void RecipeParser::LinkOutputs() {
  for (OutputDraft& draft : outputs_) {
    const auto root =
        draft.model ? graph_.Find(*draft.model, "output") : std::optional(DefaultModel(draft));
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
      recipe_.nodes.push_back({std::move(node), draft.place});
    }
  }
  for (OutputDraft& draft : outputs_) {
    draft.output.root = numbers[draft.output.root];
    for (auto& [component, node] : draft.output.components) node = numbers[node];
    recipe_.outputs.push_back(std::move(draft.output));
  }
}

NodeId RecipeParser::Splice(const std::string& name, const ModelDeclaration& declaration) {
  const std::filesystem::path& path = *declaration.recipe;
  if (std::ranges::find(chain_, path.lexically_normal()) != chain_.end()) {
    diagnostics_.AddError(
        declaration.recipe_place,
        fmt::format("recipes form a circle: {} leads back to itself", Quote(path.string())));
    return 0;
  }
  const std::string text = WithContext(AtPlace(declaration.recipe_place) + "a recipe as a model",
                                       [&] { return ReadTextFile(path); });
  RecipeOptions none;
  none.check_output_names = false;  // it is not written
  const auto inner =
      RecipeParser(none, diagnostics_, chain_).Parse(text, path.string(), path, path.parent_path());
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
        fmt::format("model {}: its recipe has the policy {}: {}, and this one {}; it is of the "
                    "whole run",
                    Quote(name), policy.name, word(inner->policies), word(recipe_.policies)),
        fmt::format("Write policy: {{{}: …}} alike in both.", policy.name));
  }
  recipe_.files_read.push_back({path, "recipe"});
  recipe_.files_read.insert(recipe_.files_read.end(), inner->files_read.begin(),
                            inner->files_read.end());
  return SpliceRecipe(name, *inner, recipe_);
}

}  // namespace weightsmith
