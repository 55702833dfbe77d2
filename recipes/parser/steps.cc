#include "recipes/parser/steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <utility>

#include "core/base/text.h"
#include "merge/expression/foreign_operators.h"
#include "recipes/parser/advice.h"
#include "recipes/parser/policies.h"
#include "recipes/vocabulary.h"

namespace weightsmith {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

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

/// A sentence as a part of another: "share of b".
std::string Lowered(std::string_view sentence) {
  std::string words(sentence.ends_with('.') ? sentence.substr(0, sentence.size() - 1) : sentence);
  if (words.size() > 1 && std::islower(static_cast<unsigned char>(words[1])) != 0) {
    words[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(words[0])));
  }
  return words;
}

/// A step as messages call it. Nobody named the step of a recipe that a program makes.
std::string WordsFor(const std::string& name, const SourceNode& node) {
  const SourceNode* op = node.Find("op");
  const bool generated = node.place.source != nullptr && node.place.source->generated;
  return generated && op != nullptr ? op->text : "step " + Quote(name);
}

/// The keys of the mappings below a step, those of inline steps excepted.
void CollectRows(const SourceNode& node, std::map<std::string, SourcePlace>& rows) {
  for (const SourceNode& item : node.items) {
    if (item.Find("op") != nullptr) continue;
    for (const SourceNode& key : item.keys) rows.emplace(key.text, key.place);
    CollectRows(item, rows);
  }
}

/// The words of "photo, anime".
std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(",;"), text.size());
    if (const std::string_view word = Trim(text.substr(0, end)); !word.empty()) {
      words.emplace_back(word);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

/// The list of adapters that a mapping or a word in its place stands for.
std::string AdaptersAdvice(const SourceNode& node) {
  std::vector<std::string> entries;
  for (std::size_t i = 0; node.map() && i < node.keys.size(); ++i) {
    if (!node.items[i].scalar()) continue;
    entries.push_back(fmt::format("\"{}:{}\"", node.keys[i].text, node.items[i].text));
  }
  if (node.scalar() && !node.text.empty()) entries.push_back(fmt::format("\"{}\"", node.text));
  if (entries.empty()) entries.emplace_back("\"detail:0.6\"");
  return fmt::format("Write a list: adapters: [{}]", fmt::join(entries, ", "));
}

/// "[photo, anime]", or with weights "[{model: photo, weight: 0.5}, …]", of a list, a text or a
/// mapping of names and of `weights`, which may be null; empty where they hold no names.
std::string ListInWords(const SourceNode& models, const SourceNode* weights, bool weighted) {
  std::vector<std::string> names;
  std::vector<std::string> numbers;
  if (models.scalar()) names = WordsOf(models.text);
  if (weights != nullptr && weights->scalar()) numbers = WordsOf(weights->text);
  for (std::size_t i = 0; i < models.items.size(); ++i) {
    const SourceNode& item = models.items[i];
    if (models.map()) names.push_back(models.keys[i].text);
    if (!item.scalar()) return {};
    (models.map() ? numbers : names).push_back(item.text);
  }
  for (std::size_t i = 0; weights != nullptr && i < weights->items.size(); ++i) {
    if (weights->items[i].scalar()) numbers.push_back(weights->items[i].text);
  }
  if (names.empty()) return {};
  if (!weighted) return fmt::format("[{}]", fmt::join(names, ", "));
  const std::string even =
      FormatNumber(std::round(100.0 / static_cast<double>(names.size())) / 100);
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < names.size(); ++i) {
    entries.push_back(
        fmt::format("{{model: {}, weight: {}}}", names[i], i < numbers.size() ? numbers[i] : even));
  }
  return fmt::format("[{}]", fmt::join(entries, ", "));
}

/// Reports the names or the weights of an operator's list where they are keys of their own, as
/// others write them, and returns the step without them.
std::optional<SourceNode> WithListOf(Reader& reader, const SourceNode& node, const Operator& op,
                                     const std::string& called) {
  if (!op.list || op.list->adapters) return std::nullopt;
  const auto free = [](const std::string&) { return true; };
  const std::vector<std::string> known{std::string(op.list->name)};
  std::optional<std::size_t> models;
  std::optional<std::size_t> weights;
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const std::string& key = node.keys[i].text;
    if (key == op.list->name || KeyMeant(key, known, free)) models = models.value_or(i);
    if (key == "weights" && op.list->weighted) weights = i;
  }
  if (!models || (node.keys[*models].text == op.list->name && !weights)) return std::nullopt;
  const std::string list = ListInWords(
      node.items[*models], weights ? &node.items[*weights] : nullptr, op.list->weighted);
  if (list.empty()) return std::nullopt;
  const bool named = node.keys[*models].text == op.list->name;
  const SourceNode& wrong = node.keys[named ? *weights : *models];
  reader.diagnostics().AddError(wrong.place,
                                fmt::format("{} has no key {}", called, Quote(wrong.text)),
                                fmt::format("Write {}: {}", op.list->name, list));
  SourceNode without = node;
  without.keys[*models].text = op.list->name;
  without.items[*models] = ReportedNode(node.items[*models].place);
  if (weights) {
    const auto at = static_cast<std::ptrdiff_t>(*weights);
    without.keys.erase(without.keys.begin() + at);
    without.items.erase(without.items.begin() + at);
  }
  return without;
}

/// Whether an entry of a list is "NAME: 0.6".
bool IsPair(const SourceNode& entry, const std::vector<std::string>& known) {
  return entry.map() && entry.keys.size() == 1 && entry.items[0].scalar() &&
         ParseNumber(entry.items[0].text) &&
         std::ranges::find(known, entry.keys[0].text) == known.end();
}

std::vector<std::string> KeysOf(const Operator& op) {
  std::vector<std::string> keys = NamesOf(StepKeys());
  for (const OperandSpec& operand : op.operands) keys.emplace_back(operand.name);
  if (op.list) keys.emplace_back(op.list->name);
  for (const ParameterSpec& parameter : op.parameters) keys.emplace_back(parameter.name);
  return keys;
}

/// A step of the operator with everything that it needs.
std::string StepOf(const Operator& op) {
  std::string step = fmt::format("{{op: {}", op.name);
  for (const OperandSpec& operand : op.operands) step += fmt::format(", {}: …", operand.name);
  if (op.list) step += fmt::format(", {}: […]", op.list->name);
  for (const ParameterSpec& parameter : op.parameters) {
    if (!parameter.default_value && !parameter.optional)
      step += fmt::format(", {}: 0.5", parameter.name);
  }
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

}  // namespace

const Operator* StepReader::ReadOperator(const SourceNode& node, const std::string& what) {
  const SourceNode* word = node.Find("op");
  if (word == nullptr) {
    reader_.diagnostics().AddError(
        node.place, fmt::format("{} has no 'op'", what),
        fmt::format("Write op: and one of {}.", fmt::join(OperatorNames(), ", ")));
    return nullptr;
  }
  const std::optional<std::string> name = reader_.Text(*word, what + ": 'op'");
  if (!name) return nullptr;
  if (const Operator* op = FindOperator(*name)) return op;
  const std::vector<std::string> known = OperatorNames();
  const std::string about = AboutForeignOperator(*name);
  const auto meant = OperatorMeant(*name);
  const std::string hint =
      meant || !about.empty() ? std::string() : Hint(Underscored(*name), known);
  std::string advice = about;
  const Operator* nearest = FindOperator(NearestToForeign(*name));
  if (nearest != nullptr && ForeignOperatorLike(*name).empty()) {
    advice += fmt::format(" Instead, write {}", StepOf(*nearest));
  }
  if (about.empty() && meant) advice = fmt::format("Write {}.", *meant);
  if (!meant && hint.empty()) {
    advice += fmt::format("{}Operators are {}.", about.empty() ? "" : " ", fmt::join(known, ", "));
  }
  reader_.diagnostics().AddError(
      word->place, fmt::format("{}: there is no operator {}{}", what, Quote(*name), hint),
      std::move(advice));
  return OperatorLike(*name);
}

/// The step with its key `op`, where that is called otherwise.
std::optional<SourceNode> StepReader::WithOperator(const SourceNode& node,
                                                   const std::string& what) {
  if (!node.map() || node.Find("op") != nullptr) return std::nullopt;
  const std::vector<std::string> known{"op"};
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const SourceNode& value = node.items[i];
    const std::string& key = node.keys[i].text;
    const auto free = [](const std::string&) { return true; };
    if (!value.scalar() || !KeyMeant(key, known, free)) continue;
    reader_.diagnostics().AddError(node.keys[i].place,
                                   fmt::format("{} has no key {}", what, Quote(key)),
                                   fmt::format("It is called op here. Write op: {}", value.text));
    return WithMeantKeys(node, {{i, "op"}});
  }
  return std::nullopt;
}

NodeId StepReader::Read(const std::string& name, const SourceNode& written, bool top_level) {
  const auto renamed = WithOperator(written, WordsFor(name, written));
  const SourceNode& node = renamed ? *renamed : written;
  const std::string what = WordsFor(name, node);
  DraftNode draft;
  draft.node.name = name;
  draft.place = node.place;
  draft.top_level = top_level;
  draft.node.policies = policies_;
  const NodeId id = graph_.Add(std::move(draft));
  if (!reader_.IsMap(node, what, "Write {op: weighted_sum, a: …, b: …, alpha: 0.5}")) return id;
  const Operator* op = ReadOperator(node, what);
  if (const SourceNode* policy = node.Find("policy")) {
    ReadPolicies(reader_, *policy, name, graph_.at(id).node.policies);
  }
  CollectRows(node, graph_.at(id).rows);
  if (op == nullptr) return id;
  graph_.at(id).node.op = op;
  for (const ParameterSpec& spec : op->parameters) {
    if (const SourceNode* value = node.Find(spec.name)) {
      graph_.at(id).rows.emplace(spec.name, value->place);
    }
  }
  const std::string called = what == op->name ? what : fmt::format("{} ({})", what, op->name);
  const auto with_list = WithListOf(reader_, node, *op, called);
  const SourceNode& listed = with_list ? *with_list : node;
  const auto meant = reader_.CheckKeys(listed, KeysOf(*op), called);
  ReadArguments(meant.empty() ? listed : WithMeantKeys(listed, meant), what, id);
  return id;
}

void StepReader::ReadArguments(const SourceNode& node, const std::string& what, NodeId id) {
  const Operator& op = *graph_.at(id).node.op;
  const std::string name = graph_.at(id).node.name;
  Diagnostics& diagnostics = reader_.diagnostics();
  bool whole = true;
  const auto missing = [&](std::string_view key, std::string_view doc) {
    whole = false;
    const bool named = what != op.name;
    diagnostics.AddError(node.place,
                         fmt::format("{}{} needs '{}'", named ? what + ": " : "", op.name, key),
                         fmt::format("Write {}: … ({})", key, Lowered(doc)));
  };
  for (const OperandSpec& spec : op.operands) {
    const SourceNode* operand = node.Find(spec.name);
    OperandReference reference{{}, {}, node.place};
    if (operand == nullptr) {
      missing(spec.name, spec.doc);
    } else {
      reference = Operand(*operand, fmt::format("{}.{}", name, spec.name),
                          fmt::format("{}: '{}'", what, spec.name));
    }
    graph_.at(id).operands.push_back(std::move(reference));
  }
  ArgumentsGiven given;
  if (op.list) {
    const SourceNode* list = node.Find(op.list->name);
    if (list != nullptr) {
      ReadList(*list, what, id);
      given.list = list->items.size();
      whole = whole && list->list();
    } else if (!op.list->optional) {
      missing(op.list->name, op.list->doc);
    }
  }
  for (const ParameterSpec& spec : op.parameters) {
    const SourceNode* value = node.Find(spec.name);
    given.parameters.push_back(value != nullptr);
    Weights weights(spec.default_value.value_or(std::numeric_limits<double>::quiet_NaN()));
    if (value != nullptr) {
      const auto read = ReadParameter(spec, *value, fmt::format("{}: '{}'", what, spec.name));
      if (read) weights = *read;
    } else if (!spec.default_value && !spec.optional) {
      missing(spec.name, spec.doc);
    }
    graph_.at(id).node.parameters.push_back(std::move(weights));
  }
  if (!whole || op.check == nullptr) return;
  if (const std::string problem = op.check(given); !problem.empty()) {
    diagnostics.AddError(node.place, fmt::format("{}: {}: {}", what, op.name, problem),
                         fmt::format("'weightsmith ops {}' shows an example.", op.name));
  }
}

void StepReader::ReadList(const SourceNode& list, const std::string& what, NodeId id) {
  const OperandListSpec& spec = *graph_.at(id).node.op->list;
  if (spec.adapters) return ReadAdapters(list, what, id);
  const std::string name = graph_.at(id).node.name;
  std::string example = ListInWords(list, nullptr, spec.weighted);
  if (example.empty()) example = spec.weighted ? "[{model: x, weight: 0.5}, …]" : "[x, y]";
  if (!reader_.IsList(list, fmt::format("{}: '{}'", what, spec.name),
                      fmt::format("Write {}: {}", spec.name, example))) {
    return;
  }
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const SourceNode& written = list.items[i];
    const std::string entry_name = fmt::format("{}.{}.{}", name, spec.name, i + 1);
    const std::string entry_what = fmt::format("{}: {}[{}]", what, spec.name, i + 1);
    const bool bare = !written.map() || written.Find("op") != nullptr;
    if (bare && !spec.weighted) {
      OperandReference operand = Operand(written, entry_name, entry_what);
      graph_.at(id).list.push_back(std::move(operand));
      continue;
    }
    OperandReference operand{{}, {}, written.place};
    Weights weight(1.0);
    if (IsPair(written, NamesOf(EntryKeys())) && spec.weighted) {
      reader_.diagnostics().AddError(written.place,
                                     fmt::format("{} has no 'model' and 'weight'", entry_what),
                                     fmt::format("Write {{model: {}, weight: {}}}",
                                                 written.keys[0].text, written.items[0].text));
    } else if (bare) {
      reader_.diagnostics().AddError(
          written.place, fmt::format("{} has no weight", entry_what),
          fmt::format(
              "Write {{model: {}, weight: {}}}", written.scalar() ? written.text : "…",
              FormatNumber(std::round(100.0 / static_cast<double>(list.items.size())) / 100)));
    } else {
      std::vector<std::string> keys = NamesOf(EntryKeys());
      if (!spec.weighted) keys.pop_back();
      const auto meant = reader_.CheckKeys(written, keys, entry_what);
      std::optional<SourceNode> corrected;
      if (!meant.empty()) corrected = WithMeantKeys(written, meant);
      const SourceNode& entry = corrected ? *corrected : written;
      for (const std::string& key : keys) {
        if (entry.Find(key) != nullptr) continue;
        reader_.diagnostics().AddError(
            entry.place, fmt::format("{} has no '{}'", entry_what, key),
            spec.weighted ? "Write {model: …, weight: 0.5}" : "Write {model: …}");
      }
      if (const SourceNode* model = entry.Find("model")) {
        operand = Operand(*model, entry_name, entry_what + ": 'model'");
      }
      const SourceNode* value = spec.weighted ? entry.Find("weight") : nullptr;
      if (value != nullptr) {
        const auto read = weights_.Read(*value, entry_what + ": 'weight'", -kInfinity, kInfinity);
        if (read) weight = *read;
      }
    }
    graph_.at(id).list.push_back(std::move(operand));
    if (spec.weighted) graph_.at(id).node.weights.push_back(std::move(weight));
  }
}

void StepReader::ReadAdapters(const SourceNode& list, const std::string& what, NodeId id) {
  const std::string key(graph_.at(id).node.op->list->name);
  const std::string name = graph_.at(id).node.name;
  if (!reader_.IsList(list, fmt::format("{}: '{}'", what, key), AdaptersAdvice(list))) return;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const SourceNode& written = list.items[i];
    const std::string entry_name = fmt::format("{}.{}.{}", name, key, i + 1);
    const std::string entry_what = fmt::format("{}: {}[{}]", what, key, i + 1);
    OperandReference operand{{}, {}, written.place};
    Weights strength(1.0);
    if (IsPair(written, NamesOf(AdapterEntryKeys()))) {
      reader_.diagnostics().AddError(
          written.place, fmt::format("{} is a key and a value, not NAME:STRENGTH", entry_what),
          fmt::format("Write \"{}:{}\"", written.keys[0].text, written.items[0].text));
    } else if (written.map() && written.Find("op") == nullptr) {
      const SourceNode entry = WithMeantKeys(
          written, reader_.CheckKeys(written, NamesOf(AdapterEntryKeys()), entry_what));
      if (const SourceNode* use = entry.Find("use")) {
        operand = Operand(*use, entry_name, entry_what + ": 'use'");
      } else {
        reader_.diagnostics().AddError(entry.place, entry_what + " has no 'use'",
                                       "Write {use: NAME, strength: 0.6}");
      }
      if (const SourceNode* value = entry.Find("strength")) {
        const auto read = weights_.ReadStrength(*value, entry_what + ": 'strength'");
        if (read) strength = *read;
      }
    } else if (written.scalar() && written.text.starts_with('<')) {
      // <lora:detail:0.6>, as prompts write it.
      std::string meant = written.text.substr(1, written.text.find('>') - 1);
      meant.erase(0, meant.find(':') + 1);
      reader_.diagnostics().AddError(
          written.place,
          fmt::format("{}: {} is the syntax of prompts", entry_what, Quote(written.text)),
          fmt::format("Name the file under 'adapters', and write \"{}\"", meant));
    } else if (written.scalar() && written.text.find(':') != std::string::npos) {
      // Names have no colons.
      const std::size_t colon = written.text.find(':');
      operand.name = written.text.substr(0, colon);
      operand.strength = written.text.substr(colon);
      const auto read =
          ReadStrengths(written, std::string_view(written.text).substr(colon + 1), entry_what);
      if (read) strength = *read;
    } else {
      operand = Operand(written, entry_name, entry_what);
    }
    graph_.at(id).list.push_back(std::move(operand));
    graph_.at(id).node.weights.push_back(std::move(strength));
  }
}

/// "0.6", or "0.6:0.2" with another strength for the text encoders.
std::optional<Weights> StepReader::ReadStrengths(const SourceNode& entry, std::string_view words,
                                                 const std::string& what) {
  const std::size_t colon = words.find(':');
  std::vector<double> numbers;
  for (const std::string_view word :
       {words.substr(0, colon),
        colon == std::string_view::npos ? words : words.substr(colon + 1)}) {
    const auto number = ParseNumber(word);
    if (!number) {
      reader_.diagnostics().AddError(
          entry.place, fmt::format("{}: {} is not a strength", what, Quote(word)),
          "Write NAME:STRENGTH, such as detail:0.6, or NAME:STRENGTH:TE_STRENGTH; weights by place "
          "are {use: NAME, strength: …}.");
      return std::nullopt;
    }
    numbers.push_back(*number);
  }
  if (colon == std::string_view::npos) return Weights(numbers.front());
  std::string problem;
  return Weights(
      std::vector<PlaceRow<double>>{{*Selector::Parse("default", problem), numbers.front(), {}},
                                    {*Selector::Parse("te", problem), numbers.back(), {}}});
}

std::optional<Weights> StepReader::ReadParameter(const ParameterSpec& spec, const SourceNode& node,
                                                 const std::string& what) {
  if (spec.type == ParameterType::kBoolean) {
    const std::optional<bool> value = reader_.Boolean(node, what);
    if (!value) return std::nullopt;
    return Weights(*value ? 1.0 : 0.0);
  }
  if (!spec.by_place && !node.scalar()) {
    reader_.diagnostics().AddError(node.place,
                                   fmt::format("{} is one number, not weights by place", what),
                                   "Write a number, such as 0.5.");
    return std::nullopt;
  }
  return weights_.Read(node, what, spec.low, spec.high);
}

OperandReference StepReader::Operand(const SourceNode& node, const std::string& name,
                                     const std::string& what) {
  OperandReference reference{{}, {}, node.place};
  if (node.scalar()) {
    reference.name = node.text;
    if (node.text.empty()) {
      reader_.diagnostics().AddError(node.place, fmt::format("{} is an empty name", what),
                                     "Write the name of a model or step.");
    }
  } else if (node.map() && node.Find("op") != nullptr) {
    reference.node = Read(name, node, false);
  } else if (!IsReported(node)) {
    const SourceNode* model = node.Find("model");
    const bool named = model != nullptr && model->scalar();
    reader_.diagnostics().AddError(
        node.place, fmt::format("{} is the name of a model or step, not {}", what, Describe(node)),
        named ? fmt::format("Write {}", model->text) : "Write a name, or a step: {op: …}");
  }
  return reference;
}

}  // namespace weightsmith
