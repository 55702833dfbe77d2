#include "cli/everyday_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "core/base/error.h"
#include "core/base/text.h"
#include "recipes/source/writer.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kBaseOperand = "base";

std::vector<std::string> SplitCommas(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// "base, of…", "a, b, [base]".
std::string OperandNames(const Operator& op) {
  std::vector<std::string> names;
  for (const OperandSpec& operand : op.operands) {
    names.push_back(operand.optional ? fmt::format("[{}]", operand.name)
                                     : std::string(operand.name));
  }
  if (op.list) names.push_back(fmt::format("{}…", op.list->name));
  return fmt::format("{}", fmt::join(names, ", "));
}

/// How many of the models are operands; the others are the list.
std::size_t CountOperands(const Operator& op, std::size_t models, bool has_base) {
  const std::size_t required = RequiredOperands(op);
  if (has_base) return std::max(required, PlaceOfBase(op) + 1);
  return op.list ? required : std::clamp(models, required, op.operands.size());
}

void CheckModelCount(const Operator& op, std::size_t operands, std::size_t given) {
  const bool open = op.list.has_value();
  const std::size_t least = operands + (open && !op.list->optional ? 1 : 0);
  if (open ? given >= least : given == operands) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("{} takes {}{} ({}), not {}.", op.name, open ? "at least " : "",
                          least == 1 ? "1 model" : fmt::format("{} models", least),
                          OperandNames(op), given),
              fmt::format("'weightsmith ops {}' says what each is.", op.name));
}

/// Numbers of the entries of a list, by key.
using EntryKeys = std::map<std::string, std::vector<std::string>, std::less<>>;

void CheckLength(const Operator& op, std::string_view key, std::size_t given, std::size_t models) {
  if (given == models) return;
  const std::string what = key == "weights" ? "weight" : std::string(key);
  throw Error(
      ErrorCode::kUsage,
      fmt::format("{} needs a {} for each of {} models, not {}.", op.name, what, models, given),
      fmt::format("Write them with commas, in the order of the models{}: {}0.7,0.3.",
                  op.operands.empty() ? "" : " of its list", FlagOfParameter(key)));
}

/// Whether the words are a number for each entry, of what an entry may have of its own; or layers.
bool IsByEntry(const Operator& op, const std::string& key, const std::string& value) {
  if (!op.list) return false;
  if (op.list->layers && key == "layers") return true;
  if (value.find(',') == std::string::npos) return false;
  const std::vector<const ParameterSpec*> own = EntryNumbers(op);
  const bool known = std::ranges::any_of(
      own, [&](const ParameterSpec* spec) { return spec->name == std::string_view(key); });
  return known && std::ranges::all_of(SplitCommas(value), [](const std::string& number) {
           return ParseNumber(number).has_value();
         });
}

/// `of: [x, y]`, or `of: [{model: x, weight: 0.7}, …]`.
std::string ListText(const Operator& op, std::span<const std::string> models,
                     const EntryKeys& numbers) {
  if (!op.list->weighted && numbers.empty()) {
    return fmt::format("{}: [{}]", op.list->name, fmt::join(models, ", "));
  }
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < models.size(); ++i) {
    std::string entry = fmt::format("model: {}", models[i]);
    if (op.list->weighted) {
      const auto given = numbers.find("weights");
      const std::string weight = given == numbers.end()
                                     ? FormatNumber(1.0 / static_cast<double>(models.size()))
                                     : ScalarOrFlow(given->second[i]);
      entry += fmt::format(", weight: {}", weight);
    }
    for (const auto& [key, values] : numbers) {
      if (key != "weights") entry += fmt::format(", {}: {}", key, ScalarOrFlow(values[i]));
    }
    entries.push_back(fmt::format("{{{}}}", entry));
  }
  return fmt::format("{}: [{}]", op.list->name, fmt::join(entries, ", "));
}

[[noreturn]] void RefuseWeights(const Operator& op) {
  const bool alpha = std::ranges::any_of(
      op.parameters, [](const ParameterSpec& parameter) { return parameter.name == "alpha"; });
  throw Error(ErrorCode::kUsage, fmt::format("{} takes no weights of models.", op.name),
              alpha ? "Give --alpha, or weights by block with --mbw." : "");
}

}  // namespace

std::size_t LeastModels(const Operator& op) {
  return RequiredOperands(op) + (op.list && !op.list->optional ? 1 : 0);
}

std::string FlagOfParameter(std::string_view parameter) {
  constexpr std::array<std::string_view, 3> kOwnFlags = {"alpha", "weights", "density"};
  const bool own = std::ranges::find(kOwnFlags, parameter) != kOwnFlags.end();
  return own ? fmt::format("--{} ", parameter) : fmt::format("--param {}=", parameter);
}

std::string ScalarOrFlow(const std::string& value) {
  const bool flow = value.starts_with('{') || value.starts_with('[');
  const bool plain = ParseNumber(value).has_value() || value == "true" || value == "false";
  if ((flow || plain) && value.find('\n') == std::string::npos) return value;
  return YamlQuoted(value);
}

std::size_t PlaceOfBase(const Operator& op) {
  const auto base = std::ranges::find(op.operands, kBaseOperand, &OperandSpec::name);
  if (base != op.operands.end()) return static_cast<std::size_t>(base - op.operands.begin());
  throw Error(ErrorCode::kUsage, fmt::format("{} has no base.", op.name),
              fmt::format("Its models are {}, in this order.", OperandNames(op)));
}

std::string StepText(const Operator& op, std::span<const std::string> models,
                     std::span<const std::pair<std::string, std::string>> parameters,
                     bool has_base) {
  const std::size_t single = CountOperands(op, models.size(), has_base);
  CheckModelCount(op, single, models.size());
  const std::size_t listed = models.size() - single;
  std::vector<std::string> keys = {fmt::format("op: {}", op.name)};
  for (std::size_t i = 0; i < single; ++i) {
    keys.push_back(fmt::format("{}: {}", op.operands[i].name, models[i]));
  }
  EntryKeys numbers;
  std::vector<std::string> own;
  for (const auto& [key, value] : parameters) {
    const bool weights = key == "weights";
    if (weights && !(op.list && op.list->weighted)) RefuseWeights(op);
    if (!weights && !IsByEntry(op, key, value)) {
      const bool known = std::ranges::find(op.parameters, std::string_view(key),
                                           &ParameterSpec::name) != op.parameters.end();
      own.push_back(fmt::format("{}: {}", known ? key : YamlQuoted(key), ScalarOrFlow(value)));
      continue;
    }
    numbers[key] = SplitCommas(value);
    CheckLength(op, key, numbers[key].size(), listed);
  }
  if (listed > 0) keys.push_back(ListText(op, models.subspan(single), numbers));
  keys.insert(keys.end(), own.begin(), own.end());
  return fmt::format("{{{}}}", fmt::join(keys, ", "));
}

}  // namespace weightsmith::internal
