#include "recipes/parser/examples.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/text.h"
#include "recipes/source/writer.h"
#include "recipes/vocabulary.h"

namespace weightsmith {

std::string StepsAdvice(const SourceNode& node) {
  std::vector<std::string> steps;
  for (std::size_t i = 0; node.list() && i < node.items.size(); ++i) {
    SourceNode step = node.items[i];
    if (!step.map()) continue;
    std::string name = i + 1 == node.items.size() ? "mix" : fmt::format("step{}", i + 1);
    for (std::size_t key = 0; key < step.keys.size(); ++key) {
      if (step.keys[key].text != "name") continue;
      name = step.items[key].text;
      step.keys.erase(step.keys.begin() + static_cast<std::ptrdiff_t>(key));
      step.items.erase(step.items.begin() + static_cast<std::ptrdiff_t>(key));
      break;
    }
    steps.push_back(fmt::format("{}: {}", name, FlowText(step, 100)));
  }
  if (steps.empty()) steps.emplace_back("mix: {op: weighted_sum, a: …, b: …, alpha: 0.5}");
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

std::string OutputExample(const std::vector<std::string>& names) {
  return fmt::format("{{model: {0}, path: {0}.safetensors}}", names.empty() ? "mix" : names.back());
}

}  // namespace weightsmith
