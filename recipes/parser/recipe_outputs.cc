#include "recipes/parser/recipe_outputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "core/base/text.h"
#include "recipes/parser/examples.h"
#include "recipes/source/writer.h"

namespace weightsmith::internal {

void RecipeOutputs::Read(const SourceNode& top, StepReader& steps,
                         const std::filesystem::path& folder) {
  const SourceNode* one = top.Find("output");
  const SourceNode* several = top.Find("outputs");
  if (one != nullptr && several != nullptr) {
    const auto key = std::ranges::find(top.keys, "outputs", &SourceNode::text);
    std::string together = FlowText(*one, 100);
    for (const SourceNode& output : several->items) {
      if (several->list()) together += ", " + FlowText(output, 100);
    }
    reader_.diagnostics().AddError(key->place, "the recipe has 'output' and 'outputs'",
                                   fmt::format("Remove output, and write outputs: [{}]", together));
  }
  if (one != nullptr) {
    drafts_.push_back(
        ReadOutput(reader_, steps, *one, {"output", OutputExample(StepNames())}, folder));
  } else if (several != nullptr) {
    if (!reader_.IsList(*several, "outputs", OutputsAdvice(*several))) return;
    if (several->items.empty()) {
      reader_.diagnostics().AddError(
          several->place, "outputs is an empty list",
          fmt::format("Write outputs: [{}]", OutputExample(StepNames())));
    }
    const std::string example = OutputExample(StepNames());
    for (std::size_t i = 0; i < several->items.size(); ++i) {
      drafts_.push_back(ReadOutput(reader_, steps, several->items[i],
                                   {fmt::format("outputs[{}]", i + 1), example}, folder));
    }
    CheckPathsDiffer();
  } else {
    OutputDraft draft;
    draft.output.place = top.place;
    draft.output.declared = false;
    drafts_.push_back(std::move(draft));
  }
  ApplyOptions();
  if (!options_.check_output_names) return;
  for (const OutputDraft& draft : drafts_) CheckOutputName(draft, reader_.diagnostics());
}

void RecipeOutputs::ApplyOptions() {
  const auto option = [](Setting setting, std::string name) {
    return SourcePlace{std::make_shared<const SourceText>(SourceText{std::move(name), "", setting}),
                       0, 0};
  };
  if (options_.output_step) ChooseStep();
  if (options_.output_path) {
    if (drafts_.size() == 1) {
      drafts_.front().output.path = options_.output_path;
      drafts_.front().path_place = option(Setting::kOutputPath, "output path");
    } else {
      reader_.diagnostics().AddError(
          option(Setting::kOutputPath, "output path"),
          fmt::format("this is one file, and the recipe has {} outputs", drafts_.size()), {},
          {Option::kSelectOutput});
    }
  }
  if (options_.dtype) {
    const auto dtype = ReadDTypeOption(reader_, *options_.dtype);
    for (OutputDraft& draft : drafts_) {
      if (dtype) draft.output.dtype = *dtype;
    }
  }
  if (options_.rounding) {
    const auto source = std::make_shared<const SourceText>(
        SourceText{"rounding", *options_.rounding, Setting::kRounding});
    const auto rounding =
        ReadRounding(reader_, ReadOption(source, reader_.diagnostics()), "rounding");
    for (OutputDraft& draft : drafts_) {
      if (rounding) draft.output.rounding = *rounding;
    }
  }
  if (!options_.max_shard_size) return;
  for (OutputDraft& draft : drafts_) {
    draft.output.max_shard_size = options_.max_shard_size;
    if (!draft.output.split) continue;
    reader_.diagnostics().AddError(
        option(Setting::kMaxShardSize, "shard size"),
        "the recipe splits the output by component, and shards exclude that",
        "Remove 'split' from the recipe, or ask for no shards.");
  }
}

void RecipeOutputs::ChooseStep() {
  const std::string& name = *options_.output_step;
  const auto of_that_step = [&](const OutputDraft& draft) {
    return draft.model && draft.model->name == name;
  };
  const auto written = std::ranges::find_if(drafts_, of_that_step);
  const SourcePlace place{
      std::make_shared<const SourceText>(SourceText{"output step", name, Setting::kSelectOutput}),
      0, 0};
  OutputDraft draft;
  draft.output.place = place;
  draft.model = OperandReference{name, {}, place};
  if (written != drafts_.end()) draft = std::move(*written);
  drafts_.clear();
  drafts_.push_back(std::move(draft));
}

/// The node of an output that does not name one: the only step, or the only model.
NodeId RecipeOutputs::DefaultModel(const OutputDraft& draft) {
  std::vector<NodeId> candidates;
  for (NodeId id = 0; id < graph_.nodes().size(); ++id) {
    if (graph_.nodes()[id].top_level) candidates.push_back(id);
  }
  if (candidates.size() != 1 && (graph_.incomplete() || draft.unread)) return 0;
  if (candidates.size() != 1) {
    const std::vector<std::string> names = StepNames();
    std::string advice = AdviceForNoSteps({});
    if (advice.empty()) advice = "Write output: {model: NAME, path: FILE.safetensors}";
    reader_.diagnostics().AddError(
        draft.output.place,
        fmt::format("the output does not name its model, and there are {} steps",
                    names.empty() ? "no" : "several"),
        names.empty() ? advice
                      : fmt::format("Write output: {}, or model: and another of {}.",
                                    OutputExample(names), fmt::join(names, ", ")));
    return 0;
  }
  return candidates.front();
}

std::vector<std::string> RecipeOutputs::StepNames() const {
  std::vector<std::string> names;
  for (const DraftNode& draft : graph_.nodes()) {
    if (draft.top_level) names.push_back(draft.node.name);
  }
  return names;
}

std::string RecipeOutputs::AdviceForNoSteps(const std::string& asked) const {
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

void RecipeOutputs::CheckPathsDiffer() {
  std::map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < drafts_.size(); ++i) {
    const auto& path = drafts_[i].output.path;
    if (!path) continue;
    const auto [same, added] = first.emplace(path->lexically_normal().string(), i);
    if (added) continue;
    reader_.diagnostics().AddError(
        drafts_[i].path_place.value_or(drafts_[i].output.place),
        fmt::format("outputs[{}] writes the same file as outputs[{}]", i + 1, same->second + 1),
        "Give it another path.");
  }
}

std::optional<NodeId> RecipeOutputs::ModelOf(const OutputDraft& draft) {
  if (!draft.model) return DefaultModel(draft);
  const bool missing = !draft.model->node && !graph_.Find(draft.model->name);
  return graph_.Find(*draft.model, "output", Graph::Wanted::kModel, {},
                     missing ? AdviceForNoSteps(draft.model->name) : "");
}

void RecipeOutputs::Link() {
  for (OutputDraft& draft : drafts_) {
    const auto root = ModelOf(draft);
    if (root) draft.output.root = *root;
    const auto check_kind = [&](NodeId node, const SourcePlace& place) {
      const Node& found = graph_.at(node).node;
      if (found.kind != Kind::kDelta || options_.difference_as_output) return;
      reader_.diagnostics().AddError(
          place,
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

std::vector<NodeId> RecipeOutputs::Roots() const {
  std::vector<NodeId> roots;
  for (const OutputDraft& draft : drafts_) {
    roots.push_back(draft.output.root);
    for (const auto& [component, node] : draft.output.components) roots.push_back(node);
  }
  return roots;
}

}  // namespace weightsmith::internal
