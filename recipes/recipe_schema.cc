#include "recipes/recipe_schema.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/dtype.h"
#include "merge/operator.h"
#include "recipes/vocabulary.h"

namespace weightsmith {
namespace {

using Json = nlohmann::ordered_json;

Json Ref(std::string_view name) {
  return {{"$ref", fmt::format("#/$defs/{}", name)}};
}

Json AnyOf(std::vector<Json> choices) {
  return {{"anyOf", std::move(choices)}};
}

Json Described(Json schema, std::string_view doc) {
  if (!doc.empty()) schema["description"] = doc;
  return schema;
}

Json Object(Json properties, const std::vector<std::string>& required = {}) {
  Json object = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) object["required"] = required;
  object["additionalProperties"] = false;
  return object;
}

Json MapOf(Json values) {
  return {{"type", "object"}, {"additionalProperties", std::move(values)}};
}

Json ListOf(Json items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}

Json Words(std::vector<std::string> words) {
  return {{"enum", std::move(words)}};
}

Json FormSchema(ValueForm form) {
  switch (form) {
    case ValueForm::kVersion:
      return {{"const", 1}};
    case ValueForm::kText:
    case ValueForm::kPath:
    case ValueForm::kOperator:
      return {{"type", "string"}};
    case ValueForm::kBoolean:
      return AnyOf({{{"type", "boolean"}}, Ref("variable")});
    case ValueForm::kSize:
      return {{"type", {"string", "integer"}}};
    case ValueForm::kHash:
      return {{"type", "string"}, {"pattern", "^[0-9a-fA-F]+$"}};
    case ValueForm::kInclude:
      return AnyOf({{{"type", "string"}}, ListOf({{"type", "string"}})});
    case ValueForm::kModels:
      return MapOf(Ref("model"));
    case ValueForm::kVariables:
      return MapOf({{"type", {"number", "string", "boolean", "array"}}});
    case ValueForm::kAdapters:
      return {{"type", "object"}};
    case ValueForm::kPolicy:
      return Ref("policy");
    case ValueForm::kSteps:
      return MapOf(Ref("step"));
    case ValueForm::kOutput:
      return Ref("output");
    case ValueForm::kOutputs:
      return ListOf(Ref("output"));
    case ValueForm::kOperand:
      return Ref("operand");
    case ValueForm::kComponents:
      return MapOf(Ref("operand"));
    case ValueForm::kDType:
      return AnyOf({Ref("dtype"), MapOf(Ref("dtype"))});
    case ValueForm::kLayout: {
      std::vector<std::string> words;
      for (const LayoutWord& word : LayoutWords()) {
        if (word.available) words.emplace_back(word.name);
      }
      return Words(words);
    }
    case ValueForm::kMetadata:
      return MapOf({{"type", {"string", "number", "boolean", "array"}}});
    case ValueForm::kWeight:
      return Ref("weight");
  }
  return {};
}

Json KeysSchema(std::span<const KeySpec> keys) {
  Json properties = Json::object();
  std::vector<std::string> required;
  for (const KeySpec& key : keys) {
    properties[key.name] = Described(FormSchema(key.form), key.doc);
    if (key.required) required.emplace_back(key.name);
  }
  return Object(std::move(properties), required);
}

Json ModelSchema() {
  Json file = KeysSchema(ModelKeys());
  Json part = file;
  part["properties"].erase("recipe");
  Json parts = Json::object();
  for (const std::string_view word : ComponentWords()) {
    parts[word] = AnyOf({{{"type", "string"}}, part});
  }
  return AnyOf({{{"type", "string"}}, file, Object(std::move(parts))});
}

Json ParameterSchema(const ParameterSpec& parameter) {
  Json schema;
  if (parameter.type == ParameterType::kBoolean) {
    schema = FormSchema(ValueForm::kBoolean);
    if (parameter.default_value) schema["default"] = *parameter.default_value != 0;
  } else {
    Json number = {{"type", "number"}};
    if (std::isfinite(parameter.low)) number["minimum"] = parameter.low;
    if (std::isfinite(parameter.high)) number["maximum"] = parameter.high;
    std::vector<Json> choices{number, Ref("variable")};
    if (parameter.by_place) choices.push_back(MapOf(AnyOf({number, Ref("variable")})));
    schema = AnyOf(std::move(choices));
    if (parameter.default_value) schema["default"] = *parameter.default_value;
  }
  return Described(std::move(schema), parameter.doc);
}

Json OperatorSchema(const Operator& op) {
  Json properties = {{"op", {{"const", op.name}}}, {"policy", Ref("step_policy")}};
  std::vector<std::string> required{"op"};
  for (const OperandSpec& operand : op.operands) {
    properties[operand.name] = Described(Ref("operand"), operand.doc);
    required.emplace_back(operand.name);
  }
  if (op.list) {
    Json entry = AnyOf({Ref("operand"), Object({{"model", Ref("operand")}}, {"model"})});
    if (op.list->weighted) entry = KeysSchema(EntryKeys());
    properties[op.list->name] = Described(ListOf(std::move(entry)), op.list->doc);
    if (!op.list->optional) required.emplace_back(op.list->name);
  }
  for (const ParameterSpec& parameter : op.parameters) {
    properties[parameter.name] = ParameterSchema(parameter);
    if (!parameter.default_value && !parameter.optional) required.emplace_back(parameter.name);
  }
  return Described(Object(std::move(properties), required), op.summary);
}

/// The operator chooses the keys, so that an editor tells what is wrong with those of one.
Json StepSchema() {
  std::vector<std::string> names;
  Json choices = Json::array();
  for (const Operator* op : Operators()) {
    names.emplace_back(op->name);
    choices.push_back({{"if", {{"properties", {{"op", {{"const", op->name}}}}}}},
                       {"then", Ref("operators/" + std::string(op->name))}});
  }
  return {{"type", "object"},
          {"required", {"op"}},
          {"properties", {{"op", Words(names)}}},
          {"allOf", choices}};
}

Json PolicySchema(bool step) {
  Json properties = Json::object();
  for (const PolicySpec& spec : PolicyTable()) {
    if (step && !spec.per_step) continue;
    const Json word = Words(NamesOf(std::span<const PolicyValue>(spec.values)));
    Json schema = spec.by_place ? AnyOf({word, MapOf(word)}) : word;
    if (!step) schema["default"] = spec.values.front().name;
    properties[spec.name] = Described(std::move(schema), spec.doc);
  }
  properties["blocks"] = Words({"clean"});
  return Object(std::move(properties));
}

Json DTypeSchema() {
  std::vector<std::string> words{"keep"};
  for (const DTypeInfo& info : DTypes()) {
    if (info.has_codec) words.emplace_back(info.word);
  }
  // Other spellings (fp16, float16 …) are read too.
  return AnyOf({Words(words), {{"type", "string"}}});
}

}  // namespace

std::string RecipeSchema() {
  Json schema = KeysSchema(RecipeKeys());
  schema["properties"].erase("adapters");
  Json operators = Json::object();
  for (const Operator* op : Operators()) operators[op->name] = OperatorSchema(*op);
  const Json number = AnyOf({{{"type", "number"}}, Ref("variable")});
  schema["$defs"] = {
      {"variable", {{"type", "string"}, {"pattern", "^\\$"}}},
      {"weight", AnyOf({number, MapOf(number)})},
      {"operand", AnyOf({{{"type", "string"}}, Ref("step")})},
      {"dtype", DTypeSchema()},
      {"model", ModelSchema()},
      {"policy", PolicySchema(false)},
      {"step_policy", PolicySchema(true)},
      {"output", KeysSchema(OutputKeys())},
      {"step", StepSchema()},
      {"operators", std::move(operators)},
  };
  return schema.dump();
}

}  // namespace weightsmith
