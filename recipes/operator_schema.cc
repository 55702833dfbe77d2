#include <fmt/format.h>

#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "recipes/key_schema-inl.h"
#include "recipes/operator_schema-inl.h"
#include "recipes/parameter_json-inl.h"
#include "recipes/schema_parts-inl.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

Json Share(Json& shared, const std::string& name, Json schema) {
  shared[name] = std::move(schema);
  return Ref(name);
}

/// "_from_0_to_1": what tells the definitions of numbers apart.
std::string RangeSuffix(const ParameterSpec& parameter) {
  std::string suffix;
  if (std::isfinite(parameter.low)) suffix += "_from_" + FormatNumber(parameter.low);
  if (std::isfinite(parameter.high)) suffix += "_to_" + FormatNumber(parameter.high);
  return suffix;
}

Json NumberSchema(const ParameterSpec& parameter, Json& shared) {
  Json number = {{"type", "number"}};
  if (std::isfinite(parameter.low)) number["minimum"] = parameter.low;
  if (std::isfinite(parameter.high)) number["maximum"] = parameter.high;
  const std::string range = RangeSuffix(parameter);
  if (!parameter.by_place && range.empty()) return Ref("number");
  if (!parameter.by_place) return Share(shared, "number" + range, OrVariable(std::move(number)));
  const Json value = Share(shared, "value" + range,
                           AnyOf({number, Ref("variable"), ListOf(number), Ref("block_forms")}));
  return Share(shared, "by_place" + range, AnyOf({value, ByPlace(value)}));
}

Json ParameterSchema(const ParameterSpec& parameter, Json& shared) {
  Json schema;
  switch (parameter.type) {
    case ParameterType::kBoolean:
      schema = Share(shared, "boolean", OrVariable({{"type", "boolean"}}));
      break;
    case ParameterType::kWord:
      schema = OrVariable(Words({parameter.words.begin(), parameter.words.end()}));
      break;
    case ParameterType::kSeed:
      schema = Share(shared, "seed",
                     OrVariable({{"type", "integer"}, {"minimum", 0}, {"maximum", kMostSeed}}));
      break;
    case ParameterType::kNumber:
      schema = NumberSchema(parameter, shared);
      break;
  }
  if (const Json value = DefaultOf(parameter); !value.is_null()) schema["default"] = value;
  return Described(std::move(schema), parameter.doc);
}

/// A mapping of what a tensor has to be like, or several.
Json WhereSchema(Json& shared) {
  Json keys = KeysSchema(WhereKeys());
  keys["minProperties"] = 1;
  Json filter = Share(shared, "tensor_filter", std::move(keys));
  Json list = ListOf(filter);
  list["minItems"] = 1;
  return AnyOf({std::move(filter), std::move(list)});
}

/// An entry of a list of models.
Json EntrySchema(const Operator& op, Json& shared) {
  Json entry = Object({{"model", Ref("operand")}}, {"model"});
  if (op.list->weighted) entry = KeysSchema(EntryKeys());
  const std::vector<const ParameterSpec*> numbers = EntryNumbers(op);
  for (const ParameterSpec* number : numbers) {
    Json schema = ParameterSchema(*number, shared);
    if (number->by_entry) schema.erase("default");
    entry["properties"][number->name] = std::move(schema);
    const bool needed = !number->by_entry && !number->default_value && !number->optional;
    if (needed) entry["required"].push_back(number->name);
  }
  if (!op.list->weighted) entry = AnyOf({Ref("operand"), std::move(entry)});
  if (!numbers.empty()) return entry;
  return Share(shared, op.list->weighted ? "weighted_entry" : "entry", std::move(entry));
}

Json ListSchema(const Operator& op, Json& shared) {
  const OperandListSpec& spec = *op.list;
  Json entry;
  if (spec.adapters) {
    const std::string number = R"(:[-+]?[0-9.]+([eE][-+]?[0-9]+)?)";
    entry = AnyOf({Pattern(fmt::format("^[^:]+({0}({0})?)?$", number)), Ref("step"),
                   KeysSchema(AdapterEntryKeys())});
  } else if (spec.layers) {
    entry = AnyOf({Ref("operand"), KeysSchema(LayerEntryKeys())});
  } else {
    entry = EntrySchema(op, shared);
  }
  Json list = ListOf(std::move(entry));
  list["minItems"] = 1;
  return Described(OrVariable(std::move(list)), spec.doc);
}

}  // namespace

std::string OperatorDefinition(const Operator& op) {
  return fmt::format("op_{}", op.name);
}

Json OperatorSchema(const Operator& op, Json& shared) {
  Json properties = {{"op", {{"const", op.name}}}, {"policy", Ref("step_policy")}};
  std::vector<std::string> required{"op"};
  for (const OperandSpec& operand : op.operands) {
    properties[operand.name] = Described(Ref("operand"), operand.doc);
    if (!operand.optional) required.emplace_back(operand.name);
  }
  if (op.list) {
    properties[op.list->name] = ListSchema(op, shared);
    if (!op.list->optional) required.emplace_back(op.list->name);
  }
  for (const ParameterSpec& parameter : op.parameters) {
    properties[parameter.name] = ParameterSchema(parameter, shared);
    const bool needed = !parameter.default_value && !parameter.optional;
    if (needed && !parameter.by_entry) required.emplace_back(parameter.name);
  }
  if (!op.where.empty()) {
    properties[kWhere] = Described(WhereSchema(shared), op.where);
    required.emplace_back(kWhere);
  }
  return Described(Object(std::move(properties), required), op.summary);
}

}  // namespace weightsmith::internal
