#include "recipes/parser/unnamed.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "merge/operator.h"
#include "recipes/parser/advice.h"
#include "recipes/parser/examples.h"
#include "recipes/parser/operator_word.h"
#include "recipes/source/writer.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

/// The longest step that is shown on one line.
constexpr std::size_t kShownBytes = 160;

void Erase(SourceNode& map, std::size_t index) {
  map.keys.erase(map.keys.begin() + static_cast<std::ptrdiff_t>(index));
  map.items.erase(map.items.begin() + static_cast<std::ptrdiff_t>(index));
}

bool IsStep(const SourceNode& node) {
  return node.Find("op") != nullptr;
}

/// Whether the mapping is a step and not one of steps: it has an operator, or keys of one.
bool IsOneStep(const SourceNode& steps) {
  if (!steps.map()) return false;
  std::size_t keys = 0;
  for (std::size_t i = 0; i < steps.keys.size(); ++i) {
    const SourceNode& value = steps.items[i];
    const std::string& key = steps.keys[i].text;
    // "mix:" with nothing below it is a step's name, beside which the rest of it stands.
    if (value.implicit && !IsKeyOfAny(key)) return false;
    if (key == "op" && value.scalar()) return true;
    const bool method = value.scalar() && IsCalled(key, "op");
    if (method && (FindOperator(value.text) != nullptr || OperatorMeant(value.text))) return true;
    if (!value.map() && IsKeyOfAny(key)) ++keys;
  }
  return keys >= 2;
}

/// Whether a value below `node` is this text.
bool Mentions(const SourceNode& node, std::string_view text) {
  return (node.scalar() && node.text == text) ||
         std::ranges::any_of(node.items,
                             [&](const SourceNode& item) { return Mentions(item, text); });
}

/// Whether the mapping is one file and not files by name: nothing takes one that is called "path".
bool IsOneFile(const SourceNode& top, const SourceNode& files,
               const std::vector<std::string>& keys) {
  const SourceNode* path = files.Find("path");
  return path != nullptr && path->scalar() && !Mentions(top, "path") &&
         std::ranges::all_of(files.keys, [&](const SourceNode& key) {
           return key.text == "name" || std::ranges::find(keys, key.text) != keys.end();
         });
}

std::string NameOfFile(const SourceNode& file) {
  const std::string stem = std::filesystem::path(file.Find("path")->text).stem().string();
  const bool word = !stem.empty() && std::ranges::all_of(stem, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
  return word ? stem : "photo";
}

/// The step with its operator as recipes write it: what is shown as right must not be refused next.
SourceNode WithOwnWord(SourceNode step) {
  if (IsStep(step)) return step;
  for (std::size_t i = 0; i < step.keys.size(); ++i) {
    SourceNode& value = step.items[i];
    if (!value.scalar() || !IsCalled(step.keys[i].text, "op")) continue;
    step.keys[i].text = "op";
    const auto meant = OperatorMeant(value.text);
    if (meant && FindOperator(value.text) == nullptr) value.text = *meant;
    break;
  }
  return step;
}

/// Reports that `node` is not a table but one thing, and makes it a table of that.
void GiveName(Diagnostics& diagnostics, std::string_view table, std::string_view thing,
              std::string name, SourceNode& node) {
  SourceNode one = node;
  SourceNode key = node.keys.front();
  key.text = std::move(name);
  for (std::size_t i = 0; i < one.keys.size(); ++i) {
    if (one.keys[i].text != "name" || !one.items[i].scalar()) continue;
    key.text = one.items[i].text;
    Erase(one, i);
    break;
  }
  const std::string text = FlowText(thing == "step" ? WithOwnWord(one) : one, kShownBytes);
  diagnostics.AddError(
      key.place, fmt::format("{}: these are the keys of one {}; give it a name", table, thing),
      text.ends_with("…")
          ? fmt::format("Write {}: above them, and two more spaces in front of each.", key.text)
          : fmt::format("Write {}: {{{}: {}}}", table, key.text, text));
  node.keys = {std::move(key)};
  node.items = {std::move(one)};
}

}  // namespace

LooseSteps TakeLooseSteps(Diagnostics& diagnostics, SourceNode& top) {
  if (const SourceNode* op = top.Find("op"); op != nullptr && op->scalar()) {
    for (const SourceNode& key : top.keys) {
      if (key.text != "op") continue;
      diagnostics.AddError(key.place, "the recipe is a step without models and steps",
                           RecipeOfStep(top));
    }
    return {false, true};
  }
  LooseSteps loose;
  const auto keys = NamesOf(RecipeKeys());
  for (std::size_t i = 0; i < top.keys.size(); ++i) {
    const bool known = std::ranges::find(keys, top.keys[i].text) != keys.end();
    if (known || !IsStep(top.items[i])) continue;
    const SourceNode* output = top.Find("output");
    const SourceNode* model = output == nullptr ? nullptr : output->Find("model");
    diagnostics.AddError(
        top.keys[i].place, fmt::format("a recipe has no key {}", Quote(top.keys[i].text)),
        fmt::format("A step stands under steps, with a name: steps: {{{}: {}}}",
                    model != nullptr && model->scalar() ? model->text : top.keys[i].text,
                    FlowText(top.items[i], 100)));
    Erase(top, i);
    loose.found = true;
    --i;
  }
  return loose;
}

std::string NameForStep(const SourceNode& top) {
  const SourceNode* output = top.Find("output");
  const SourceNode* outputs = top.Find("outputs");
  if (output == nullptr && outputs != nullptr && outputs->list() && !outputs->items.empty()) {
    output = &outputs->items.front();
  }
  const SourceNode* model = output == nullptr ? nullptr : output->Find("model");
  const auto taken = [&](const std::string& name) {
    return std::ranges::any_of(std::initializer_list<const char*>{"models", "adapters"},
                               [&](const char* key) {
                                 const SourceNode* table = top.Find(key);
                                 return table != nullptr && table->Find(name) != nullptr;
                               });
  };
  if (model != nullptr && model->scalar() && !model->text.empty() && !taken(model->text)) {
    return model->text;
  }
  return taken("mix") ? "merged" : "mix";
}

void NameUnnamed(Diagnostics& diagnostics, SourceNode& top) {
  for (std::size_t i = 0; i < top.keys.size(); ++i) {
    const std::string& table = top.keys[i].text;
    SourceNode& node = top.items[i];
    if (table == "steps" && IsOneStep(node)) {
      GiveName(diagnostics, table, "step", NameForStep(top), node);
    } else if (table == "models" && IsOneFile(top, node, NamesOf(KeysOfModels()))) {
      GiveName(diagnostics, table, "model", NameOfFile(node), node);
    } else if (table == "adapters" && IsOneFile(top, node, NamesOf(AdapterKeys()))) {
      GiveName(diagnostics, table, "adapter", NameOfFile(node), node);
    }
  }
}

}  // namespace weightsmith::internal
