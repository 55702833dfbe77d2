#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <optional>

#include "cli/command.h"
#include "cli/operator_names.h"
#include "cli/render/layout.h"
#include "cli/schemas.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "merge/operator.h"
#include "recipes/jobs/record-inl.h"
#include "recipes/parameter_json-inl.h"

namespace weightsmith::internal {
namespace {

std::string DefaultWord(const ParameterSpec& parameter) {
  if (!parameter.default_value) return parameter.optional ? "optional" : "required";
  const double value = *parameter.default_value;
  if (parameter.type == ParameterType::kBoolean) return value != 0 ? "true" : "false";
  if (parameter.type == ParameterType::kWord) {
    return std::string(parameter.words[static_cast<std::size_t>(value)]);
  }
  return FormatNumber(value);
}

// "a:weight b:weight alpha=1 -> weight".
std::string Signature(const Operator& op) {
  std::vector<std::string> words;
  for (const OperandSpec& operand : op.operands) {
    const std::string word = fmt::format("{}:{}", operand.name, ToString(operand.kind));
    words.push_back(operand.optional ? fmt::format("[{}]", word) : word);
  }
  if (op.list) {
    const std::string entry =
        fmt::format("{}{}", ToString(op.list->kind), op.list->weighted ? " weight" : "");
    const std::string list = fmt::format("{}:[{}...]", op.list->name, entry);
    words.push_back(op.list->optional ? fmt::format("[{}]", list) : list);
  }
  for (const ParameterSpec& parameter : op.parameters) {
    const bool has_default = parameter.default_value.has_value();
    const std::string word = has_default
                                 ? fmt::format("{}={}", parameter.name, DefaultWord(parameter))
                                 : std::string(parameter.name);
    words.push_back(parameter.optional ? fmt::format("[{}]", word) : word);
  }
  return fmt::format("{} -> {}", fmt::join(words, " "), ToString(op.result));
}

std::string Range(const ParameterSpec& parameter) {
  const bool low = std::isfinite(parameter.low);
  const bool high = std::isfinite(parameter.high);
  if (low && high) {
    return fmt::format("{} to {}", FormatNumber(parameter.low), FormatNumber(parameter.high));
  }
  if (low) return fmt::format("{} or more", FormatNumber(parameter.low));
  if (high) return fmt::format("{} or less", FormatNumber(parameter.high));
  return {};
}

std::string ParameterText(const ParameterSpec& parameter) {
  std::vector<std::string> facts = {parameter.type == ParameterType::kWord
                                        ? fmt::format("{}", fmt::join(parameter.words, " or "))
                                        : std::string(ToString(parameter.type))};
  if (const std::string range = Range(parameter); !range.empty()) facts.push_back(range);
  const std::string word = DefaultWord(parameter);
  facts.push_back(parameter.default_value ? "default " + word : word);
  if (parameter.by_place) facts.emplace_back("by place");
  if (parameter.by_entry) facts.emplace_back("also of an entry");
  return fmt::format("{} ({})", parameter.doc, fmt::join(facts, ", "));
}

std::string InFull(const Operator& op) {
  std::string page = fmt::format("{}: {}\n\n", op.name, op.summary);
  page += Wrap(op.formula, 4) + "\n" + Wrap(op.doc, 0);
  page += fmt::format("\nSignature:\n  {}\n", Signature(op));
  std::vector<TableRow> rows;
  for (const OperandSpec& operand : op.operands) {
    rows.push_back({std::string(operand.name), std::string(operand.doc)});
  }
  if (op.list) {
    rows.push_back({std::string(op.list->name), std::string(op.list->doc)});
    for (const ParameterSpec& number : op.list->numbers) {
      rows.push_back({fmt::format("{}: {}", op.list->name, number.name), ParameterText(number)});
    }
  }
  for (const ParameterSpec& parameter : op.parameters) {
    rows.push_back({std::string(parameter.name), ParameterText(parameter)});
  }
  page += "\nKeys:\n" + Table(rows);
  page += "\nUses:\n" + Wrap(fmt::format("{}", fmt::join(op.uses, "; ")), 2);
  if (!op.source.empty()) page += "\nSource:\n" + Wrap(op.source, 2);
  page += "\nExample:\n";
  for (std::string_view rest = op.example; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    page += fmt::format("  {}\n", rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return page;
}

std::optional<std::vector<std::string_view>> Words(const ParameterSpec& parameter) {
  return parameter.words.empty() ? std::nullopt : std::optional(parameter.words);
}

std::optional<Json> Default(const ParameterSpec& parameter) {
  return parameter.default_value ? std::optional(DefaultOf(parameter)) : std::nullopt;
}

}  // namespace

template <>
const Record<ParameterSpec>& RecordOf() {
  static const Record<ParameterSpec> record = {
      "Parameter",
      "A parameter of an operator.",
      {{"name", &ParameterSpec::name, "The key in a recipe."},
       {"type", &ParameterSpec::type, "\"number\", \"boolean\", \"word\" or \"seed\"."},
       {"words", Words, "The words that it may be.", kOptional},
       {"required", [](const ParameterSpec& each) { return !each.default_value && !each.optional; },
        "It has no default and may not be left out."},
       {"default", Default, "What it is where it is left out.", kOptional},
       {"low", [](const ParameterSpec& each) { return IfFinite(each.low); }, "The least value.",
        kOptional},
       {"high", [](const ParameterSpec& each) { return IfFinite(each.high); }, "The largest value.",
        kOptional},
       {"by_place", &ParameterSpec::by_place, "It takes weights by place."},
       {"by_entry", &ParameterSpec::by_entry, "An entry of the list may have its own."},
       {"doc", &ParameterSpec::doc, "What it is."}}};
  return record;
}

template <>
const Record<OperandSpec>& RecordOf() {
  static const Record<OperandSpec> record = {
      "Operand",
      "An operand of an operator.",
      {{"name", &OperandSpec::name, "The key in a recipe."},
       {"kind", &OperandSpec::kind, "\"weight\", \"delta\" or \"same\"."},
       {"required", [](const OperandSpec& each) { return !each.optional; },
        "It may not be left out."},
       {"doc", &OperandSpec::doc, "What it is."}}};
  return record;
}

template <>
const Record<OperandListSpec>& RecordOf() {
  static const Record<OperandListSpec> record = {
      "OperandList",
      "A list of operands of any length.",
      {{"name", &OperandListSpec::name, "The key in a recipe."},
       {"kind", &OperandListSpec::kind, "Of each: \"weight\", \"delta\" or \"same\"."},
       {"weighted", &OperandListSpec::weighted, "Each has a weight."},
       {"required", [](const OperandListSpec& list) { return !list.optional; },
        "It may not be left out."},
       {"numbers", &OperandListSpec::numbers, "What else an entry has, but parameters by entry."},
       {"doc", &OperandListSpec::doc, "What it is."}}};
  return record;
}

template <>
const Record<Operator>& RecordOf() {
  static const Record<Operator> record = {
      "Operator",
      "What a step of a recipe can do.",
      {{"name", &Operator::name, "As recipes write it."},
       {"summary", &Operator::summary, "One line."},
       {"doc", &Operator::doc, "Paragraphs."},
       {"formula", &Operator::formula, "In its association."},
       {"class", ClassOf, "What it needs to see at once: \"elementwise\" …"},
       {"operands", &Operator::operands, "What it takes."},
       {"list", &Operator::list, "What it takes any number of.", kOptional},
       {"parameters", &Operator::parameters, "Its parameters."},
       {"result", &Operator::result, "\"weight\", \"delta\" or \"same\"."},
       {"expects_effect", &Operator::expects_effect, "To change no element is an error."},
       {"source", &Operator::source, "Paper, or the project whose behaviour it matches."},
       {"example", &Operator::example, "A step, YAML."},
       {"uses", &Operator::uses, "Purposes in a few plain words: \"restore contrast\"."}}};
  return record;
}

namespace {

int RunOps(const ParsedArguments& arguments, Terminal& terminal) {
  const bool json = arguments.Has("json");
  if (!arguments.positionals().empty()) {
    const Operator& op = OperatorNamed("ops", arguments.positionals().front());
    if (json) {
      terminal.PrintData(JsonText(op));
    } else {
      terminal.Print(InFull(op));
    }
    return 0;
  }
  if (json) {
    terminal.PrintData(JsonText(Operators()));
    return 0;
  }
  std::vector<TableRow> rows;
  for (const Operator* op : Operators()) {
    rows.push_back({std::string(op->name), std::string(op->summary)});
    rows.push_back({"", std::string(op->formula)});
  }
  terminal.Print(Table(rows));
  return 0;
}

}  // namespace

std::string OperatorsSchema() {
  return ToLine(OneOrSeveral("operator", JsonValue<Operator>::Schema()));
}

const Command& ops() {
  static const Command command = {
      .name = "ops",
      .summary = "List the operators, or explain one",
      .doc =
          "Without a name, a table of the operators that a recipe's steps can use. With one, "
          "its formula, operands, parameters, purposes, source and an example.",
      .positionals = {{.name = "NAME",
                       .doc = "the operator to explain",
                       .kind = ValueKind::kOperator,
                       .required = false}},
      .flags = {{.name = "json", .doc = "Print JSON"}},
      .examples = {{"weightsmith ops add_difference", "All about one operator:"}},
      .run = RunOps,
  };
  return command;
}

}  // namespace weightsmith::internal
