#include "recipes/parser/operator_word.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "core/base/text.h"
#include "merge/expression/foreign_operators.h"
#include "recipes/parser/advice.h"
#include "recipes/parser/mixing.h"
#include "recipes/source/writer.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

std::vector<std::string> OperatorNames() {
  std::vector<std::string> names;
  for (const Operator* op : Operators()) names.emplace_back(op->name);
  return names;
}

/// "Add difference" is add_difference elsewhere.
std::string Underscored(std::string name) {
  std::ranges::replace(name, ' ', '_');
  return name;
}

/// A step of the operator with everything that it needs.
std::string ExampleOf(const Operator& op) {
  std::string step = fmt::format("{{op: {}", op.name);
  for (const OperandSpec& operand : op.operands) {
    if (!operand.optional) step += fmt::format(", {}: …", operand.name);
  }
  if (op.list) step += fmt::format(", {}: […]", op.list->name);
  for (const ParameterSpec& parameter : op.parameters) {
    if (parameter.default_value || parameter.optional) continue;
    const bool word = parameter.type == ParameterType::kWord;
    step += fmt::format(", {}: {}", parameter.name, word ? parameter.words.front() : "0.5");
  }
  if (!op.where.empty()) step += fmt::format(", {}: {{block: …}}", kWhere);
  return step + "}";
}

/// The operator that is read in the place of one that is not there; null where none is like it.
const Operator* OperatorLike(const std::string& name) {
  std::string like = ForeignOperatorLike(name);
  // One that does something else has keys of its own, of which nothing can be told.
  if (like.empty() && !NearestToForeign(name).empty()) return nullptr;
  if (like.empty()) like = OperatorMeant(name).value_or("");
  if (like.empty()) like = NearestName(Underscored(name), OperatorNames()).value_or("");
  return FindOperator(like);
}

/// Of models that are mixed under another word.
std::string AdviceForMixing(const Mix& mix, const Operator& op) {
  const std::string_view given = !mix.weights.empty() ? "With a weight for each model"
                                 : mix.share          ? "With the share of the second model"
                                 : mix.pair           ? "Of two models"
                                                      : "Without weights";
  return fmt::format("{} it is called {} here. Write op: {}{}", given, op.name, op.name,
                     op.list && NeedsNormalize(mix) ? ", normalize: true" : "");
}

/// What to write in the place of an operator of others that does something else.
std::string InsteadOf(const std::string& name, const SourceNode& node,
                      const std::optional<Mix>& mix) {
  constexpr std::size_t kShown = 240;
  const Operator* nearest = FindOperator(NearestToForeign(name));
  if (nearest == nullptr) return {};
  std::string step = ExampleOf(*nearest);
  const std::string_view fitting = mix && mix->Whole() ? OperatorOf(*mix) : "";
  if (Mixes(nearest->name) && !fitting.empty()) {
    if (std::string own = FlowText(StepWith(fitting, *mix, node), kShown); !own.ends_with("…")) {
      step = std::move(own);
    }
  }
  return fmt::format(" Instead, write {}", step);
}

}  // namespace

std::vector<std::string> KeysOf(const Operator& op) {
  std::vector<std::string> keys = NamesOf(StepKeys());
  for (const OperandSpec& operand : op.operands) keys.emplace_back(operand.name);
  if (op.list) keys.emplace_back(op.list->name);
  for (const ParameterSpec& parameter : op.parameters) keys.emplace_back(parameter.name);
  if (!op.where.empty()) keys.emplace_back(kWhere);
  return keys;
}

bool IsKeyOf(const Operator& op, const std::string& key) {
  const std::vector<std::string> keys = KeysOf(op);
  return std::ranges::find(keys, key) != keys.end();
}

bool IsKeyOfAny(const std::string& key) {
  static const std::set<std::string> kAll = [] {
    std::set<std::string> all;
    for (const Operator* op : Operators()) {
      for (std::string& name : KeysOf(*op)) all.insert(std::move(name));
    }
    return all;
  }();
  return kAll.contains(key);
}

const Operator* ReadOperator(Reader& reader, const SourceNode& node, const std::string& what) {
  const SourceNode* word = node.Find("op");
  if (word == nullptr) {
    // Two models alone may be meant to be added, multiplied and more.
    const auto mix = ReadMix(node);
    const bool plain = !mix || (mix->pair && !mix->share && mix->weights.empty());
    const std::string_view fitting = plain ? "" : OperatorOf(*mix);
    reader.diagnostics().AddError(
        node.place, fmt::format("{} has no 'op'", what),
        fmt::format("Write op: {}; 'weightsmith ops' lists all.",
                    fitting.empty() ? "and an operator, such as weighted_sum"
                                    : fmt::format("{}, or another operator", fitting)));
    return nullptr;
  }
  const std::optional<std::string> name = reader.Text(*word, what + ": 'op'");
  if (!name) return nullptr;
  if (const Operator* op = FindOperator(*name)) return op;
  const std::string message = fmt::format("{}: there is no operator {}", what, Quote(*name));
  const Operator* like = OperatorLike(*name);
  const auto mix = ReadMix(node);
  const Operator* fitting = mix && IsMixing(*name) ? FindOperator(OperatorOf(*mix)) : nullptr;
  if (fitting != nullptr && fitting != like) {
    reader.diagnostics().AddError(word->place, message, AdviceForMixing(*mix, *fitting));
    return fitting;
  }
  const std::vector<std::string> known = OperatorNames();
  const auto meant = OperatorMeant(*name);
  const std::string about = AboutForeignOperator(*name);
  const std::string hint =
      meant || !about.empty() ? std::string() : Hint(Underscored(*name), known);
  std::string advice = about;
  if (like == nullptr) advice += InsteadOf(*name, node, mix);
  if (about.empty() && meant) advice = fmt::format("Write {}.", *meant);
  if (!meant && hint.empty()) {
    advice += fmt::format("{}'weightsmith ops' lists all.", advice.empty() ? "" : " ");
  }
  reader.diagnostics().AddError(word->place, message + hint, std::move(advice));
  return like;
}

std::optional<SourceNode> WithOperator(Reader& reader, const SourceNode& node,
                                       const std::string& what) {
  if (!node.map() || node.Find("op") != nullptr) return std::nullopt;
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const SourceNode& value = node.items[i];
    const std::string& key = node.keys[i].text;
    if (!value.scalar() || !IsCalled(key, "op")) continue;
    reader.diagnostics().AddError(node.keys[i].place,
                                  fmt::format("{} has no key {}", what, Quote(key)),
                                  fmt::format("It is called op here. Write op: {}", value.text));
    return WithMeantKeys(node, {{i, "op"}});
  }
  return std::nullopt;
}

}  // namespace weightsmith::internal
