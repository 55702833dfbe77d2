#include "recipes/source/foreign_recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>

#include "core/base/text.h"
#include "core/formats/foreign.h"
#include "merge/expression/foreign_operators.h"
#include "recipes/source/lines.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kExample =
    "A recipe looks like this:\n"
    "    weightsmith: 1\n"
    "    models: {photo: photo.safetensors, anime: anime.safetensors}\n"
    "    steps:\n"
    "      mix: {op: weighted_sum, a: photo, b: anime, alpha: 0.3}\n"
    "    output: {model: mix, path: mix.safetensors}";

/// A program whose files have these keys at the top, all of them.
struct Program {
  std::string_view name;
  std::array<std::string_view, 2> keys;
};

constexpr Program kPrograms[] = {
    {"a workflow of ComfyUI", {"nodes", "links"}},
    {"a workflow of ComfyUI", {"last_node_id", ""}},
    {"merge metadata of SuperMerger or the A1111 merger", {"primary_model_hash", ""}},
    {"merge metadata of SuperMerger or the A1111 merger", {"weights_method", ""}},
    {"a configuration of mergekit", {"merge_method", ""}},
    {"a configuration of mergekit", {"slices", ""}},
    {"a configuration of mergekit", {"merges", ""}},
    {"a training configuration of kohya's scripts", {"pretrained_model_name_or_path", ""}},
    {"the configuration of a model", {"model_type", ""}},
    {"the configuration of a diffusers pipeline", {"_class_name", ""}},
    {"the index of a sharded model", {"weight_map", ""}},
};

bool Has(const SourceNode& top, const Program& program) {
  return std::ranges::all_of(
      program.keys, [&](std::string_view key) { return key.empty() || top.Find(key) != nullptr; });
}

/// The steps that do what a method of mergekit does, or what comes nearest to it here.
struct MethodSteps {
  std::string_view op;
  bool base;
  std::string_view steps;
};

// The last one stands for methods that are not known.
constexpr MethodSteps kSteps[] = {
    {"arcee_fusion", false, "      mix: {op: arcee_fusion, a: a, b: b}\n"},
    {"breadcrumbs", true,
     "      mix: {op: breadcrumbs, base: base, of: [{model: a, weight: 0.6}, {model: b, weight: "
     "0.4}], density: 0.5}\n"},
    {"breadcrumbs_ties", true,
     "      mix: {op: breadcrumbs_ties, base: base, of: [{model: a, weight: 0.6}, {model: b, "
     "weight: 0.4}], density: 0.5}\n"},
    {"dare_linear", true,
     "      mix: {op: dare_linear, base: base, of: [{model: a, weight: 0.6}, {model: b, weight: "
     "0.4}], density: 0.5}\n"},
    {"dare_ties", true,
     "      mix: {op: dare_ties, base: base, of: [{model: a, weight: 0.6}, {model: b, weight: "
     "0.4}], density: 0.5}\n"},
    {"della", true,
     "      mix: {op: della, base: base, of: [{model: a, weight: 0.6}, {model: b, weight: 0.4}], "
     "density: 0.5}\n"},
    {"della_linear", true,
     "      mix: {op: della_linear, base: base, of: [{model: a, weight: 0.6}, {model: b, weight: "
     "0.4}], density: 0.5}\n"},
    {"karcher", false, "      mix: {op: karcher, of: [a, b]}\n"},
    {"model_stock", true, "      mix: {op: model_stock, base: base, of: [a, b]}\n"},
    {"multislerp", false,
     "      mix: {op: multislerp, of: [{model: a, weight: 0.6}, {model: b, weight: 0.4}]}\n"},
    {"nearswap", false, "      mix: {op: nearswap, a: a, b: b, t: 0.001}\n"},
    {"nuslerp", false, "      mix: {op: nuslerp, a: a, b: b, alpha: 0.5}\n"},
    {"passthrough", false,
     "      mix: {op: stack, of: [{model: a, layers: 0-15}, {model: b, layers: 8-31}]}\n"},
    {"ram", true, "      mix: {op: ram, base: base, of: [a, b]}\n"},
    {"ramplus_tl", true, "      mix: {op: ramplus_tl, base: base, of: [a, b]}\n"},
    {"sce", true, "      mix: {op: sce, base: base, of: [a, b]}\n"},
    {"slerp", false, "      mix: {op: slerp, a: a, b: b, alpha: 0.5}\n"},
    {"task_arithmetic", true,
     "      mix: {op: task_arithmetic, base: base, of: [{model: a, weight: 0.6}, {model: b, "
     "weight: 0.4}]}\n"},
    {"ties", true,
     "      mix: {op: ties, base: base, of: [{model: a, weight: 0.6}, {model: b, weight: 0.4}], "
     "density: 0.5}\n"},
    {"linear", false,
     "      mix: {op: linear, of: [{model: a, weight: 0.6}, {model: b, weight: 0.4}]}\n"},
};

const MethodSteps& StepsFor(std::string_view method) {
  const std::string_view nearest = NearestToForeign(method);
  const std::string_view op = nearest.empty() ? method : nearest;
  const auto* const found = std::ranges::find(kSteps, op, &MethodSteps::op);
  return found == std::end(kSteps) ? *std::prev(std::end(kSteps)) : *found;
}

/// A recipe that is valid, whatever the method is.
std::string MergekitAdvice(const SourceNode& top) {
  const SourceNode* node = top.Find("merge_method");
  const std::string method = node != nullptr && node->scalar() ? node->text : std::string();
  const std::string about = AboutForeignOperator(method);
  const MethodSteps& as = StepsFor(method);
  return fmt::format(
      "The models get names, and the merge is a step:\n"
      "    weightsmith: 1\n"
      "    models: {{{}a: folder/of/a, b: folder/of/b}}\n"
      "    steps:\n{}"
      "    output: {{model: mix, path: mix.safetensors, dtype: bf16}}\n"
      "{}{}'weightsmith ops' lists the operators.",
      as.base ? "base: folder/of/base, " : "", as.steps, about, about.empty() ? "" : " ");
}

bool IsSafetensors(std::string_view text) {
  return text.size() > 8 && text[8] == '{' && text.find('\0') < 8;
}

bool IsMecha(std::string_view text) {
  return text.starts_with("version ") && (text.find("\nmodel ") != std::string_view::npos ||
                                          text.find("\nmerge ") != std::string_view::npos);
}

/// The first line with words in it.
std::string_view FirstLine(std::string_view text) {
  for (std::size_t line = 0; line != std::string_view::npos; line = NextLine(text, line)) {
    if (!IsBlankLine(LineAt(text, line))) return Trim(LineAt(text, line));
  }
  return {};
}

bool IsPython(std::string_view text) {
  const std::string_view first = FirstLine(text);
  return (first.starts_with("import ") || first.starts_with("from ")) &&
         first.find(": ") == std::string_view::npos && !first.ends_with(':');
}

/// A key with an equals sign, and a line with the name of a table: "[steps.mix]".
bool IsToml(std::string_view text) {
  bool table = false;
  bool entry = false;
  for (std::size_t line = 0; line != std::string_view::npos; line = NextLine(text, line)) {
    const std::string_view words = Trim(LineAt(text, line));
    const auto named = [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '"';
    };
    if (words.size() > 2 && words.starts_with('[') && words.ends_with(']')) {
      table |= std::ranges::all_of(words.substr(1, words.size() - 2), named);
    }
    const std::size_t sign = words.find(" = ");
    entry |= sign != std::string_view::npos && std::ranges::all_of(words.substr(0, sign), named);
  }
  return table && entry;
}

bool IsUtf16(std::string_view text) {
  return text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF") ||
         (text.size() > 3 && text[0] != '\0' && text[1] == '\0' && text[2] != '\0' &&
          text[3] == '\0');
}

}  // namespace

std::string_view RecipeExample() {
  return kExample;
}

std::optional<ForeignRecipe> ForeignText(std::string_view text) {
  if (IsSafetensors(text)) {
    return ForeignRecipe{"this is a model (a safetensors file), not a recipe",
                         std::string(kExample), true};
  }
  if (IsUtf16(text)) {
    return ForeignRecipe{"this text is in UTF-16", "Save it as UTF-8, without any other change.",
                         true};
  }
  if (IsMecha(text)) {
    return ForeignRecipe{"this is a recipe of sd-mecha",
                         "Its models get names, and each merge is a step. " + std::string(kExample),
                         false};
  }
  if (IsPython(text)) {
    return ForeignRecipe{"this is a program in Python, not a recipe", std::string(kExample), false};
  }
  if (IsToml(text)) {
    return ForeignRecipe{"this is TOML, and a recipe is YAML or JSON", std::string(kExample),
                         false};
  }
  const auto format = SniffForeignFormat(text.substr(0, kSniffSize));
  if (!format || format->name == "a text file") return std::nullopt;
  const bool page = format->name.find("HTML") != std::string::npos;
  return ForeignRecipe{
      fmt::format("this is {}, not a recipe", format->name),
      page ? "Download the file itself: pages of files have a link 'raw' or 'download'."
           : format->advice,
      !page};
}

std::optional<ForeignRecipe> ForeignTree(const SourceNode& top) {
  if (top.scalar() || top.list()) {
    return ForeignRecipe{
        fmt::format("a recipe is a mapping, not {}", top.list() ? "a list" : "a line of text"),
        std::string(kExample), false};
  }
  if (!top.map() || top.Find("weightsmith") != nullptr) return std::nullopt;
  for (const Program& program : kPrograms) {
    if (!Has(top, program)) continue;
    const bool mergekit = program.name.find("mergekit") != std::string_view::npos;
    return ForeignRecipe{fmt::format("this is {}, not a recipe", program.name),
                         mergekit ? MergekitAdvice(top) : std::string(kExample), false};
  }
  const bool nodes = std::ranges::any_of(
      top.items, [](const SourceNode& item) { return item.Find("class_type") != nullptr; });
  if (!nodes) return std::nullopt;
  return ForeignRecipe{"this is a workflow of ComfyUI, not a recipe", std::string(kExample), false};
}

}  // namespace weightsmith::internal
