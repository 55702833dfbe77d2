#include "recipes/parser/variables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

bool IsNameStart(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

bool IsName(std::string_view text) {
  return !text.empty() && IsNameStart(text.front()) && std::ranges::all_of(text, IsNameCharacter);
}

bool IsReference(const SourceNode& node) {
  return node.scalar() && node.text.starts_with('$') && IsName(node.text.substr(1));
}

/// The first `$name` in a value; null where there is none.
const SourceNode* FindReference(const SourceNode& value) {
  if (IsReference(value)) return &value;
  for (const SourceNode& item : value.items) {
    if (const SourceNode* found = FindReference(item)) return found;
  }
  return nullptr;
}

/// `text` with {name} for $name and ${name}.
std::string InBraces(std::string_view text, const std::string& name) {
  std::string changed(text);
  for (const std::string& written : {fmt::format("${{{}}}", name), "$" + name}) {
    const std::string braced = fmt::format("{{{}}}", name);
    for (std::size_t at = changed.find(written); at != std::string::npos;
         at = changed.find(written, at + braced.size())) {
      changed.replace(at, written.size(), braced);
    }
  }
  return changed;
}

}  // namespace

bool Variables::CheckValue(const SourceNode& value, std::string_view name) {
  if (!value.scalar() && !value.list()) {
    diagnostics_.AddError(
        value.place, fmt::format("variable {} is a number, a text or a list, not {}", Quote(name),
                                 Describe(value)));
    return false;
  }
  if (const SourceNode* other = FindReference(value)) {
    diagnostics_.AddError(other->place,
                          fmt::format("variable {} has another variable as its value, {}",
                                      Quote(name), Quote(other->text)),
                          "Write the value of that variable here.");
    return false;
  }
  return true;
}

void Variables::Declare(const SourceNode& key, const SourceNode& value, bool included) {
  if (!IsName(key.text)) {
    diagnostics_.AddError(key.place,
                          fmt::format("{} is not a name for a variable", Quote(key.text)),
                          "A name begins with a letter; letters, digits, _ and - follow.");
    return;
  }
  const bool good = CheckValue(value, key.text);
  values_[key.text] = {good ? value : ReportedNode(value.place), key.place, included};
}

void Variables::Override(const std::string& name, const std::string& value) {
  const auto source = std::make_shared<const SourceText>(
      SourceText{fmt::format("variable {}", Quote(name)), value, Setting::kVariable, name});
  const auto found = values_.find(name);
  if (found == values_.end()) {
    std::vector<std::string> known;
    for (const auto& [other, unused] : values_) known.push_back(other);
    diagnostics_.AddError(
        {source, 0, 0},
        fmt::format("the recipe has no variable {}{}", Quote(name), Hint(name, known)),
        known.empty() ? "It has no 'vars'."
                      : fmt::format("Its variables are {}.", fmt::join(known, ", ")));
    return;
  }
  SourceNode tree = ReadOption(source, diagnostics_);
  if (CheckValue(tree, name)) found->second.value = std::move(tree);
}

const SourceNode* Variables::Use(const std::string& name, const SourcePlace& place,
                                 std::string_view example) {
  const auto found = values_.find(name);
  if (found != values_.end()) {
    used_.insert(name);
    return &found->second.value;
  }
  std::vector<std::string> known;
  for (const auto& [other, unused] : values_) known.push_back(other);
  const std::string hint = Hint(name, known);
  std::string advice;
  if (hint.empty()) advice = fmt::format("Declare it: vars: {{{}: {}}}", name, example);
  if (names_.contains(name)) {
    advice = fmt::format("{} is a model or step: write {} without the $.", name, name);
  }
  diagnostics_.AddError(place, fmt::format("there is no variable {}{}", Quote(name), hint),
                        std::move(advice));
  return nullptr;
}

void Variables::Substitute(SourceNode& tree) {
  for (SourceNode& item : tree.items) Substitute(item);
  if (!IsReference(tree)) return;
  const SourceNode* value = Use(tree.text.substr(1), tree.place, "0.5");
  if (value == nullptr) {
    tree = ReportedNode(tree.place);
    return;
  }
  const SourcePlace place = tree.place;
  tree = *value;
  tree.place = place;
}

/// The longest name of a variable behind a `$`, with or without braces.
std::optional<std::string> Variables::Dollared(std::string_view text) const {
  if (text.starts_with('{')) {
    const std::string name(text.substr(1, text.find('}') - 1));
    return Knows(name) ? std::optional(name) : std::nullopt;
  }
  std::size_t end = 0;
  while (end < text.size() && IsNameCharacter(text[end])) ++end;
  for (; end > 0; --end) {
    if (const std::string name(text.substr(0, end)); Knows(name)) return name;
  }
  return std::nullopt;
}

std::string Variables::Expand(std::string_view text, const SourcePlace& place) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (const auto name = c == '$' ? Dollared(text.substr(i + 1)) : std::nullopt) {
      used_.insert(*name);
      diagnostics_.AddError(
          place, fmt::format("the variable {} is written ${} inside a text", Quote(*name), *name),
          fmt::format("Write \"{}\"", InBraces(text, *name)));
      return std::string(text);
    }
    if ((c == '{' || c == '}') && text.substr(i + 1).starts_with(c)) {
      out += c;
      ++i;
      continue;
    }
    const std::size_t end = c == '{' ? text.find('}', i) : std::string_view::npos;
    const std::string name(end == std::string_view::npos ? "" : text.substr(i + 1, end - i - 1));
    if (!IsName(name)) {
      out += c;
      continue;
    }
    i = end;
    const bool folder = text.substr(i + 1).starts_with('/');
    const SourceNode* value = Use(name, place, folder ? "folder" : "v1");
    if (value == nullptr) continue;
    if (IsReported(*value)) continue;
    if (!value->scalar()) {
      diagnostics_.AddError(
          place,
          fmt::format("variable {} is a list, and only a number or a text can be inserted here",
                      Quote(name)),
          "Use another variable.");
      continue;
    }
    out += value->text;
  }
  return out;
}

std::map<std::string, SourceNode> Variables::Used() const {
  std::map<std::string, SourceNode> used;
  for (const std::string& name : used_) used.emplace(name, values_.at(name).value);
  return used;
}

void Variables::WarnOfUnused() const {
  for (const auto& [name, variable] : values_) {
    if (variable.included || used_.contains(name)) continue;
    diagnostics_.AddWarning(variable.place,
                            fmt::format("nothing uses the variable {}", Quote(name)));
  }
}

}  // namespace weightsmith::internal
