#include "cli/everyday.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "cli/lora_blocks.h"
#include "cli/model_path.h"
#include "cli/operator_names.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/utf8.h"
#include "merge/operator.h"
#include "recipes/source/writer.h"

namespace weightsmith::internal {
namespace {

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kLongestStem = 60;  // of a model in the name of the output

std::string OperatorName(const EverydayMerge& merge) {
  if (merge.op) return *merge.op;
  if (merge.models.size() == 2) return "weighted_sum";
  if (merge.models.size() == 3) return "add_difference";
  throw Error(ErrorCode::kUsage, fmt::format("{} models need an operator.", merge.models.size()),
              "Name one with --op, such as average; 'weightsmith ops' lists them.");
}

const Operator& OperatorOf(const EverydayMerge& merge) {
  return OperatorNamed("--op", OperatorName(merge));
}

// What people expect of the two everyday operators: half of each, and the whole difference.
std::optional<std::string> AlphaOf(const EverydayMerge& merge) {
  if (merge.alpha) return merge.alpha;
  const auto given = [](const auto& parameter) { return parameter.first == "alpha"; };
  if (std::ranges::any_of(merge.parameters, given)) return std::nullopt;
  const std::string op = OperatorName(merge);
  if (op == "weighted_sum") return "0.5";
  if (op == "add_difference") return "1";
  return std::nullopt;
}

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// What YAML takes for something else than a text.
bool IsYamlWord(std::string_view name) {
  constexpr std::array<std::string_view, 9> kWords{"null", "true", "false", "yes", "no",
                                                   "on",   "off",  "y",     "n"};
  return std::ranges::find(kWords, Lowercase(name)) != kWords.end();
}

// Names of the models in the recipe: their stems, made to look like names and told apart.
std::vector<std::string> ModelNames(const std::vector<std::filesystem::path>& paths) {
  std::vector<std::string> names;
  for (const auto& path : paths) {
    std::string name = ModelStem(path);
    std::ranges::replace_if(
        name, [](char c) { return !IsNameCharacter(c); }, '_');
    if (name.empty() || !IsNameStart(name[0]) || IsYamlWord(name)) name = "m_" + name;
    std::string unique = name;
    for (int i = 2; std::ranges::find(names, unique) != names.end(); ++i) {
      unique = fmt::format("{}_{}", name, i);
    }
    names.push_back(unique);
  }
  return names;
}

// A path as a recipe writes it: neither braces nor a dollar name a variable. What a recipe cannot
// write is replaced, see SetPaths.
std::string PathText(const std::filesystem::path& path) {
  std::string text;
  for (const char c : path.string()) {
    text += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '_' : c;
    if (c == '{' || c == '}') text += c;
  }
  for (std::size_t at = FindInvalidUtf8(text); at != std::string::npos;
       at = FindInvalidUtf8(text)) {
    text[at] = '_';
  }
  return YamlQuoted(text.starts_with('$') ? "./" + text : text);
}

// Numbers, booleans, flow mappings and lists as they are; else a text.
std::string ScalarOrFlow(const std::string& value) {
  const bool flow = value.starts_with('{') || value.starts_with('[');
  const bool plain = ParseNumber(value).has_value() || value == "true" || value == "false";
  if ((flow || plain) && value.find('\n') == std::string::npos) return value;
  return YamlQuoted(value);
}

std::vector<std::string> SplitCommas(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

void CheckCount(const Operator& op, std::size_t given) {
  const std::size_t single = RequiredOperands(op);
  if (given == single || (op.list && given >= single)) return;
  std::vector<std::string_view> names;
  for (const OperandSpec& operand : std::span(op.operands).first(single)) {
    names.push_back(operand.name);
  }
  throw Error(ErrorCode::kUsage,
              fmt::format("{} takes {} {} ({}), not {}.", op.name, single,
                          single == 1 ? "model" : "models", fmt::join(names, ", "), given));
}

// `of: [x, y]`, or with weights `of: [{model: x, weight: 0.7}, …]`.
std::string ListEntry(const Operator& op, std::span<const std::string> names,
                      const std::optional<std::string>& weights) {
  if (!op.list->weighted) return fmt::format("{}: [{}]", op.list->name, fmt::join(names, ", "));
  const std::vector<std::string> values =
      weights ? SplitCommas(*weights) : std::vector<std::string>();
  if (values.size() != names.size()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{} needs a weight for each of {} models, not {}.", op.name,
                            names.size(), values.size()),
                "Write them as --param weights=0.7,0.3, in the order of the models.");
  }
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < names.size(); ++i) {
    entries.push_back(fmt::format("{{model: {}, weight: {}}}", names[i], ScalarOrFlow(values[i])));
  }
  return fmt::format("{}: [{}]", op.list->name, fmt::join(entries, ", "));
}

std::string StepText(const EverydayMerge& merge, std::span<const std::string> names) {
  const Operator& op = OperatorOf(merge);
  CheckCount(op, names.size());
  std::vector<std::string> keys = {fmt::format("op: {}", op.name)};
  const std::size_t single = RequiredOperands(op);
  for (std::size_t i = 0; i < single; ++i) {
    keys.push_back(fmt::format("{}: {}", op.operands[i].name, names[i]));
  }
  std::optional<std::string> weights;
  std::vector<std::string> parameters;
  if (const auto alpha = AlphaOf(merge)) {
    parameters.push_back(fmt::format("alpha: {}", ScalarOrFlow(*alpha)));
  }
  for (const auto& [key, value] : merge.parameters) {
    if (key == "weights" && op.list && op.list->weighted) {
      weights = value;
    } else {
      parameters.push_back(fmt::format("{}: {}", YamlQuoted(key), ScalarOrFlow(value)));
    }
  }
  if (op.list && names.size() > single) {
    keys.push_back(ListEntry(op, names.subspan(single), weights));
  }
  keys.insert(keys.end(), parameters.begin(), parameters.end());
  return fmt::format("{{{}}}", fmt::join(keys, ", "));
}

// What a file's name can hold and a recipe's `path` takes literally.
std::string ForFileName(std::string text) {
  std::ranges::replace_if(
      text,
      [](char c) {
        return static_cast<unsigned char>(c) < 0x20 ||
               std::string_view("/{}$\x7F").find(c) != std::string_view::npos;
      },
      '_');
  return text.substr(0, kLongestStem);
}

}  // namespace

namespace {

/// "+0.60(detail)+1.00(style)".
std::string LoraNames(const EverydayMerge& merge) {
  std::string names;
  for (const LoraArgument& lora : merge.loras) {
    names += fmt::format("+{:.2f}({})", lora.strength, ForFileName(ModelStem(lora.path)));
  }
  return names;
}

std::string MergedName(const EverydayMerge& merge) {
  const std::string op = OperatorName(merge);
  std::vector<std::string> stems;
  for (const auto& model : merge.models) stems.push_back(ForFileName(ModelStem(model)));
  const double alpha = ParseNumber(AlphaOf(merge).value_or("")).value_or(kNoNumber);
  const bool plain = !std::isnan(alpha) && merge.parameters.empty();
  if (op == "weighted_sum" && plain && stems.size() == 2) {
    return fmt::format("{:.2f}({})+{:.2f}({})", 1 - alpha, stems[0], alpha, stems[1]);
  }
  if (op == "add_difference" && plain && stems.size() == 3) {
    return fmt::format("{}+{:.2f}({}-{})", stems[0], alpha, stems[1], stems[2]);
  }
  return fmt::format("{}({})", op, fmt::join(stems, ","));
}

std::string BakedName(const std::filesystem::path& model, const EverydayMerge& merge) {
  const std::string baked = merge.loras.empty() && merge.vae
                                ? fmt::format("+vae({})", ForFileName(ModelStem(*merge.vae)))
                                : LoraNames(merge);
  return fmt::format("{}{}.safetensors", ForFileName(ModelStem(model)), baked);
}

/// One for each model; models that differ only in what file names here do without are numbered.
std::vector<std::string> BakedNames(const EverydayMerge& merge) {
  std::vector<std::string> names;
  for (const auto& model : merge.models) {
    const std::string name = BakedName(model, merge);
    std::string free = name;
    for (int number = 2; std::ranges::find(names, free) != names.end(); ++number) {
      free = fmt::format("{}-{}.safetensors", std::filesystem::path(name).stem().string(), number);
    }
    names.push_back(free);
  }
  return names;
}

/// A file, or one of this name in a folder.
std::filesystem::path PathFor(const EverydayMerge& merge, const std::string& name) {
  if (!merge.output) return name;
  const bool folder = merge.bake_each && merge.models.size() > 1;
  if (!folder && merge.output->has_filename() && !IsFolder(*merge.output)) {
    return *merge.output;
  }
  return *merge.output / name;
}

}  // namespace

LoraArgument ParseLora(std::string_view words) {
  LoraArgument lora;
  std::vector<double> numbers;
  while (numbers.size() < 2) {
    const std::size_t colon = words.rfind(':');
    if (colon == std::string_view::npos || colon == 0) break;
    const auto number = ParseNumber(words.substr(colon + 1));
    if (!number) break;
    numbers.insert(numbers.begin(), *number);
    words = words.substr(0, colon);
  }
  lora.path = std::string(words);
  if (!numbers.empty()) lora.strength = lora.text_strength = numbers.front();
  if (numbers.size() == 2) lora.text_strength = numbers.back();
  return lora;
}

std::string DefaultName(const EverydayMerge& merge) {
  if (merge.bake_each) return BakedName(merge.models.front(), merge);
  return MergedName(merge) + LoraNames(merge) + ".safetensors";
}

std::filesystem::path OutputPath(const EverydayMerge& merge) {
  return PathFor(merge, DefaultName(merge));
}

namespace {

std::string AdaptersText(const EverydayMerge& merge, std::span<const std::string> names) {
  std::string text = "adapters:\n";
  for (std::size_t i = 0; i < merge.loras.size(); ++i) {
    std::string file = PathText(merge.loras[i].path);
    if (merge.allow_unmatched) {
      file = fmt::format("{{path: {}, allow_unmatched: {}}}", file,
                         YamlQuoted(*merge.allow_unmatched));
    }
    text += fmt::format("  {}: {}\n", names[i], file);
  }
  return text;
}

std::string BakeText(const EverydayMerge& merge, const std::string& model,
                     std::span<const std::string> adapters) {
  if (merge.loras.empty()) return fmt::format("{{op: copy, a: {}}}", model);
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < merge.loras.size(); ++i) {
    const LoraArgument& lora = merge.loras[i];
    entries.push_back(fmt::format(
        "{{use: {}, strength: {}}}", adapters[i],
        StrengthText(merge.lora_blocks.value_or(""), lora.strength, lora.text_strength)));
  }
  return fmt::format("{{op: bake, model: {}, adapters: [{}]}}", model, fmt::join(entries, ", "));
}

// The models, the VAE and the adapters, in the order of their names in the recipe.
std::vector<std::filesystem::path> Files(const EverydayMerge& merge) {
  std::vector<std::filesystem::path> files = merge.models;
  if (merge.vae) files.push_back(*merge.vae);
  for (const LoraArgument& lora : merge.loras) files.push_back(lora.path);
  return files;
}

/// The key is for files that torch.save wrote: others have none.
std::string FileText(const std::filesystem::path& path, const std::optional<std::string>& key) {
  const std::string quoted = PathText(path);
  const std::string suffix = path.extension().string();
  if (!key || suffix == ".safetensors" || suffix == ".sft") return quoted;
  return fmt::format("{{path: {}, key: {}}}", quoted, YamlQuoted(*key));
}

}  // namespace

void SetPaths(const EverydayMerge& merge, Recipe& recipe) {
  const std::vector<std::filesystem::path> files = Files(merge);
  const std::vector<std::string> names = ModelNames(files);
  for (RecipeModel& model : recipe.models) {
    const auto name = std::ranges::find(names, model.name);
    if (name != names.end()) model.parts.front().file.path = files[name - names.begin()];
  }
  if (!merge.bake_each) {
    recipe.outputs.front().path = OutputPath(merge);
    return;
  }
  const std::vector<std::string> baked = BakedNames(merge);
  for (std::size_t i = 0; i < recipe.outputs.size(); ++i) {
    recipe.outputs[i].path = PathFor(merge, baked[i]);
  }
}

std::string RecipeText(const EverydayMerge& merge) {
  std::vector<std::filesystem::path> named = Files(merge);
  const std::size_t files = named.size() - merge.loras.size();
  // The steps, told apart from files of those names.
  named.emplace_back("merged");
  for (std::size_t i = 0; i < merge.models.size(); ++i) named.emplace_back("baked");
  const std::vector<std::string> names = ModelNames(named);
  const std::span<const std::string> adapters = std::span(names).subspan(files, merge.loras.size());
  const std::span<const std::string> steps = std::span(names).subspan(files + merge.loras.size());

  std::string text = "weightsmith: 1\nmodels:\n";
  for (std::size_t i = 0; i < files; ++i) {
    text += fmt::format("  {}: {}\n", names[i], FileText(named[i], merge.key));
  }
  if (!merge.loras.empty()) text += AdaptersText(merge, adapters);
  if (!merge.policies.empty()) {
    text += "policy:\n";
    for (const auto& [key, value] : merge.policies) {
      text += fmt::format("  {}: {}\n", YamlQuoted(key), ScalarOrFlow(value));
    }
  }
  text += "steps:\n";
  std::vector<std::pair<std::string, std::filesystem::path>> outputs;
  if (merge.bake_each) {
    const std::vector<std::string> baked = BakedNames(merge);
    for (std::size_t i = 0; i < merge.models.size(); ++i) {
      text += fmt::format("  {}: {}\n", steps[1 + i], BakeText(merge, names[i], adapters));
      outputs.emplace_back(steps[1 + i], PathFor(merge, baked[i]));
    }
  } else {
    text += fmt::format("  {}: {}\n", steps[0],
                        StepText(merge, std::span(names).first(merge.models.size())));
    std::string last = steps[0];
    if (!merge.loras.empty()) {
      last = steps[1];
      text += fmt::format("  {}: {}\n", last, BakeText(merge, steps[0], adapters));
    }
    outputs.emplace_back(last, OutputPath(merge));
  }
  const std::string indent(outputs.size() == 1 ? 2 : 4, ' ');
  std::string rest;
  if (merge.vae) {
    rest += fmt::format("{}components: {{vae: {}}}\n", indent, names[merge.models.size()]);
  }
  if (merge.dtype) rest += fmt::format("{}dtype: {}\n", indent, YamlQuoted(*merge.dtype));
  if (outputs.size() == 1) {
    return text + fmt::format("output:\n  model: {}\n{}  path: {}\n", outputs.front().first, rest,
                              PathText(outputs.front().second));
  }
  text += "outputs:\n";
  for (const auto& [model, path] : outputs) {
    text += fmt::format("  - model: {}\n{}    path: {}\n", model, rest, PathText(path));
  }
  return text;
}

}  // namespace weightsmith::internal
