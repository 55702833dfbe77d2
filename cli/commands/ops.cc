#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "cli/command.h"
#include "cli/operator_names.h"
#include "cli/render/layout.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "merge/operator.h"
#include "recipes/jobs/json-inl.h"
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
    words.push_back(fmt::format("{}:{}", operand.name, ToString(operand.kind)));
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
  if (op.list) rows.push_back({std::string(op.list->name), std::string(op.list->doc)});
  for (const ParameterSpec& parameter : op.parameters) {
    rows.push_back({std::string(parameter.name), ParameterText(parameter)});
  }
  page += "\nKeys:\n" + Table(rows);
  if (!op.source.empty()) page += "\nSource:\n" + Wrap(op.source, 2);
  page += "\nExample:\n";
  for (std::string_view rest = op.example; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    page += fmt::format("  {}\n", rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return page;
}

Json ToJson(const ParameterSpec& parameter) {
  Json json = {{"name", parameter.name}, {"type", ToString(parameter.type)}};
  if (!parameter.words.empty()) json["words"] = parameter.words;
  json["required"] = !parameter.default_value && !parameter.optional;
  if (Json value = DefaultOf(parameter); !value.is_null()) json["default"] = std::move(value);
  if (std::isfinite(parameter.low)) json["low"] = parameter.low;
  if (std::isfinite(parameter.high)) json["high"] = parameter.high;
  json["by_place"] = parameter.by_place;
  json["doc"] = parameter.doc;
  return json;
}

Json ToJson(const Operator& op) {
  Json json = {{"name", op.name}, {"summary", op.summary}, {"doc", op.doc}};
  json["formula"] = op.formula;
  json["class"] = ToString(ClassOf(op));
  json["operands"] = Json::array();
  for (const OperandSpec& operand : op.operands) {
    json["operands"].push_back(
        {{"name", operand.name}, {"kind", ToString(operand.kind)}, {"doc", operand.doc}});
  }
  if (op.list) {
    json["list"] = {{"name", op.list->name},
                    {"kind", ToString(op.list->kind)},
                    {"weighted", op.list->weighted},
                    {"required", !op.list->optional},
                    {"doc", op.list->doc}};
  }
  json["parameters"] = Json::array();
  for (const ParameterSpec& parameter : op.parameters) {
    json["parameters"].push_back(ToJson(parameter));
  }
  json["result"] = ToString(op.result);
  json["expects_effect"] = op.expects_effect;
  json["source"] = op.source;
  json["example"] = op.example;
  return json;
}

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  const bool json = arguments.Has("json");
  if (!arguments.positionals().empty()) {
    const Operator& op = OperatorNamed("ops", arguments.positionals().front());
    if (json) {
      terminal.PrintData(ToText(ToJson(op)));
    } else {
      terminal.Print(InFull(op));
    }
    return 0;
  }
  if (json) {
    Json all = Json::array();
    for (const Operator* op : Operators()) all.push_back(ToJson(*op));
    terminal.PrintData(ToText(all));
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

const Command& ops() {
  static const Command command = {
      .name = "ops",
      .summary = "List the operators, or explain one",
      .doc =
          "Without a name, a table of the operators that a recipe's steps can use. With one, "
          "its formula, operands, parameters, source and an example.",
      .positionals = {{.name = "NAME",
                       .doc = "the operator to explain",
                       .kind = ValueKind::kOperator,
                       .required = false}},
      .flags = {{.name = "json", .doc = "Print JSON"}},
      .examples = {{"weightsmith ops add_difference", "All about one operator:"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith::internal
