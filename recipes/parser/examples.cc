#include "recipes/parser/examples.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

#include "core/base/text.h"
#include "recipes/source/writer.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

bool IsOutput(const SourceNode& node) {
  return node.Find("model") != nullptr || node.Find("path") != nullptr;
}

}  // namespace

FileNames FilesOf(const Graph& graph) {
  std::vector<const DraftNode*> leaves;
  for (const DraftNode& draft : graph.nodes()) {
    if (draft.node.leaf()) leaves.push_back(&draft);
  }
  std::ranges::stable_sort(leaves, {}, [](const DraftNode* draft) {
    return std::tuple(draft->included, draft->place.line, draft->place.column);
  });
  FileNames names;
  for (const DraftNode* draft : leaves) {
    const bool adapter = draft->node.kind == Kind::kDelta;
    (adapter ? names.adapters : names.models).push_back(draft->node.name);
  }
  return names;
}

std::string ExampleOfStep(const FileNames& files) {
  constexpr std::size_t kMost = 6;  // of models that are named
  const std::vector<std::string>& models = files.models;
  if (models.size() == 1 && !files.adapters.empty()) {
    return fmt::format("{{op: bake, model: {}, adapters: [\"{}:1\"]}}", models[0],
                       fmt::join(files.adapters, ":1\", \""));
  }
  if (models.size() == 1) return fmt::format("{{op: copy, a: {}}}", models[0]);
  if (models.size() > 2 && models.size() <= kMost) {
    return fmt::format("{{op: average, of: [{}]}}", fmt::join(models, ", "));
  }
  return fmt::format("{{op: weighted_sum, a: {}, b: {}, alpha: 0.5}}",
                     models.empty() ? "…" : models[0], models.empty() ? "…" : models[1]);
}

std::string StepsAdvice(const SourceNode& node, const std::string& name, const FileNames& files) {
  std::vector<std::string> steps;
  for (std::size_t i = 0; node.list() && i < node.items.size(); ++i) {
    SourceNode step = node.items[i];
    if (!step.map()) continue;
    std::string own = i + 1 == node.items.size() ? name : fmt::format("step{}", i + 1);
    for (std::size_t key = 0; key < step.keys.size(); ++key) {
      if (step.keys[key].text != "name") continue;
      own = step.items[key].text;
      step.keys.erase(step.keys.begin() + static_cast<std::ptrdiff_t>(key));
      step.items.erase(step.items.begin() + static_cast<std::ptrdiff_t>(key));
      break;
    }
    steps.push_back(fmt::format("{}: {}", own, FlowText(step, 100)));
  }
  if (steps.empty()) {
    return fmt::format("Write steps: {{{}: {}}}", name, ExampleOfStep(files));
  }
  return fmt::format("Give every step a name: steps: {{{}}}", fmt::join(steps, ", "));
}

std::string RecipeOfStep(const SourceNode& top) {
  std::vector<std::string> files;
  std::vector<std::string> arguments;
  for (std::size_t i = 0; i < top.keys.size(); ++i) {
    const std::string& key = top.keys[i].text;
    const auto keys = NamesOf(RecipeKeys());
    if (std::ranges::find(keys, key) != keys.end()) continue;
    const SourceNode& value = top.items[i];
    const bool file = value.scalar() && value.text.find_first_of("./") != std::string::npos &&
                      !ParseNumber(value.text);
    if (file) files.push_back(fmt::format("{}: {}", key, value.text));
    arguments.push_back(fmt::format("{}: {}", key, file ? key : FlowText(value, 60)));
  }
  if (files.empty()) files.emplace_back("a: a.safetensors");
  const SourceNode* output = top.Find("output");
  return fmt::format(
      "Write\n    weightsmith: 1\n    models: {{{}}}\n    steps:\n      mix: {{{}}}\n"
      "    output: {{model: mix, path: {}}}",
      fmt::join(files, ", "), fmt::join(arguments, ", "),
      output != nullptr && output->scalar() ? output->text : "mix.safetensors");
}

std::string NamedOutput(const SourceNode& name, const SourceNode& value) {
  if (!value.map()) {
    return fmt::format("{{model: {}, path: {}}}", name.text,
                       value.scalar() ? FlowText(value, 80) : "FILE.safetensors");
  }
  const std::string rest = FlowText(value, 120);
  return fmt::format("{{model: {}{}{}", name.text, value.keys.empty() ? "" : ", ", rest.substr(1));
}

std::string OutputsAdvice(const SourceNode& node) {
  std::vector<std::string> outputs;
  if (IsOutput(node)) {
    outputs.push_back(FlowText(node, 120));
  } else {
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      outputs.push_back(node.map() ? NamedOutput(node.keys[i], node.items[i])
                                   : FlowText(node.items[i], 120));
    }
  }
  if (outputs.empty()) outputs.emplace_back("{model: …, path: …}");
  if (outputs.size() == 1) return fmt::format("Write output: {}", outputs.front());
  return fmt::format("Write a list: outputs: [{}]", fmt::join(outputs, ", "));
}

std::string OutputExample(const std::vector<std::string>& names) {
  return fmt::format("{{model: {0}, path: {0}.safetensors}}", names.empty() ? "mix" : names.back());
}

}  // namespace weightsmith::internal
