#include "recipes/recipe_schema.h"

#include <fmt/format.h>

#include <cctype>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json-inl.h"
#include "core/tensor/dtype.h"
#include "merge/expression/places.h"
#include "merge/operator.h"
#include "recipes/parameter_json-inl.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

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

Json NamesTo(std::string_view names, Json values) {
  Json map = MapOf(std::move(values));
  map["propertyNames"] = Ref(names);
  return map;
}

Json ListOf(Json items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}

/// A variable can stand for any whole value.
Json OrVariable(Json schema) {
  return AnyOf({std::move(schema), Ref("variable")});
}

Json Words(std::vector<std::string> words) {
  return {{"enum", std::move(words)}};
}

Json Pattern(std::string pattern) {
  return {{"type", "string"}, {"pattern", std::move(pattern)}};
}

/// "[Vv][Aa][Ee]|…": patterns of JSON Schema have no flag that ignores case.
std::string AnyCase(std::span<const std::string_view> words) {
  std::string pattern;
  for (const std::string_view word : words) {
    if (!pattern.empty()) pattern += '|';
    for (const char c : word) {
      const auto upper = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      pattern += upper == c ? std::string(1, c) : fmt::format("[{}{}]", upper, c);
    }
  }
  return pattern;
}

/// Components, blocks by both namings, elements of either, and regular expressions.
Json PlaceSchema() {
  const std::string components = AnyCase(Selector::Components());
  const std::string families = AnyCase(Selector::Families());
  constexpr std::string_view kNumbers = R"(\d{1,4}(-\d{1,4})?)";
  const std::string block = fmt::format(R"((({})\.)?(({})(\.{})?|[a-z_]+\.{}))", components,
                                        families, kNumbers, kNumbers);
  const std::string letters = R"(([Ii][Nn]|[Oo][Uu][Tt]|[MmDdSs])\d{1,4}(-[A-Za-z]{0,3}\d{1,4})?)";
  return Pattern(fmt::format("^(([Dd][Ee][Ff][Aa][Uu][Ll][Tt]|{}|{}|{})(:.+)?|/.+/)$", components,
                             block, letters));
}

/// A preset's name, a mapping that scales a preset, a list or a curve, or an elemental text.
Json BlockForms() {
  const Json numbers = OrVariable(ListOf(Ref("number")));
  Json forms = Object({{"preset", {{"type", "string"}}},
                       {"list", numbers},
                       {"curve", AnyOf({{{"type", "string"}}, numbers})},
                       {"scale", Ref("number")},
                       {"offset", Ref("number")}});
  forms["oneOf"] = Json::array(
      {{{"required", {"preset"}}}, {{"required", {"list"}}}, {{"required", {"curve"}}}});
  Json elemental = Object({{"elemental", {{"type", "string"}}}, {"default", Ref("number")}});
  elemental["required"] = {"elemental"};
  return AnyOf({Pattern("^[A-Za-z]"), forms, elemental});
}

/// Rows of one place at least.
Json ByPlace(Json values) {
  Json rows = NamesTo("place", std::move(values));
  rows["minProperties"] = 1;
  return rows;
}

Json OneOrMore(Json value) {
  Json list = ListOf(OrVariable(value));
  list["minItems"] = 1;
  return AnyOf({std::move(value), Ref("variable"), std::move(list)});
}

Json HashSchema(std::string_view kind) {
  for (const HashKind& known : HashKinds()) {
    if (known.name == kind) {
      return OrVariable(Pattern(fmt::format("^[0-9a-fA-F]{{{}}}$", known.digits)));
    }
  }
  return {};
}

Json LayoutSchema() {
  return OrVariable(Words(LayoutWords()));
}

Json FormSchema(ValueForm form, std::string_view key = {}) {
  switch (form) {
    case ValueForm::kVersion:
      return {{"const", 1}};
    case ValueForm::kText:
    case ValueForm::kPath:
    case ValueForm::kOperator:
      return {{"type", "string"}};
    case ValueForm::kBoolean:
      return OrVariable({{"type", "boolean"}});
    case ValueForm::kSize:
      return AnyOf({Pattern(R"(^[0-9.]+ ?([KMGTkmgt][Ii]?)?[Bb]?$)"),
                    {{"type", "integer"}, {"minimum", 1}},
                    Ref("variable")});
    case ValueForm::kHash:
      return HashSchema(key);
    case ValueForm::kInclude:
      return AnyOf({{{"type", "string"}}, ListOf({{"type", "string"}})});
    case ValueForm::kModels:
      return NamesTo("name", Ref("model"));
    case ValueForm::kVariables:
      return NamesTo("variable_name", Ref("variable_value"));
    case ValueForm::kAdapters:
      return NamesTo("name", AnyOf({{{"type", "string"}}, Ref("adapter")}));
    case ValueForm::kAdapter:
      return Ref("operand");
    case ValueForm::kRounding:
      return OrVariable(Pattern(R"(^(nearest|stochastic(:[0-9]{1,19})?)$)"));
    case ValueForm::kRegex:
      return {{"type", "string"}, {"format", "regex"}};
    case ValueForm::kPolicy:
      return Ref("policy");
    case ValueForm::kSteps:
      return NamesTo("name", Ref("step"));
    case ValueForm::kOutput:
      return Ref("output");
    case ValueForm::kOutputs:
      return ListOf(Ref("output"));
    case ValueForm::kOperand:
      return Ref("operand");
    case ValueForm::kComponents:
      return NamesTo("component", Ref("operand"));
    case ValueForm::kDType:
      return AnyOf({Ref("dtype"), ByPlace(Ref("dtype"))});
    case ValueForm::kLayout:
      return LayoutSchema();
    case ValueForm::kMetadata:
      return AnyOf({{{"const", "keep"}},
                    NamesTo("metadata_key", {{"type", {"string", "number", "boolean", "array"}}})});
    case ValueForm::kWeight:
      return Ref("weight");
    case ValueForm::kPlaces:
      return OneOrMore(Ref("place"));
    case ValueForm::kNames:
      return OneOrMore({{"type", "string"}, {"minLength", 1}});
    case ValueForm::kRanks:
      return OneOrMore({{"type", "integer"}, {"minimum", 0}});
    case ValueForm::kElements:
      return AnyOf({Pattern(R"(^[0-9.]+ ?[KMGkmg]?$)"),
                    {{"type", "integer"}, {"minimum", 0}},
                    Ref("variable")});
    case ValueForm::kLayers:
      return AnyOf({Pattern(R"(^\d{1,4}(-\d{1,4})?$)"),
                    {{"type", "integer"}, {"minimum", 0}},
                    Ref("variable")});
  }
  return {};
}

Json KeysSchema(std::span<const KeySpec> keys) {
  Json properties = Json::object();
  std::vector<std::string> required;
  for (const KeySpec& key : keys) {
    properties[key.name] = Described(FormSchema(key.form, key.name), key.doc);
    if (key.required) required.emplace_back(key.name);
  }
  return Object(std::move(properties), required);
}

/// A file, a recipe, or files by component: one of them.
Json ModelSchema() {
  const Json recipe = {{"recipe", KeysSchema(KeysOfModels())["properties"]["recipe"]}};
  Json parts = KeysSchema(AssemblyKeys())["properties"];
  for (const std::string_view word : PartWords()) {
    parts[word] = AnyOf({{{"type", "string"}}, Ref("file")});
  }
  Json components = Object(std::move(parts));
  components["minProperties"] = 1;
  return AnyOf({{{"type", "string"}}, Ref("file"), Object(recipe, {"recipe"}), components});
}

/// A path, or a hash to look the file up by.
std::vector<Json> NamesFile() {
  std::vector<Json> named{{{"required", {"path"}}}};
  for (const HashKind& kind : HashKinds()) {
    named.push_back({{"required", Json::array({kind.name})}});
  }
  return named;
}

Json FileSchema() {
  Json file = KeysSchema(KeysOfModels());
  file["properties"].erase("recipe");
  file["anyOf"] = NamesFile();
  return file;
}

Json AdapterSchema() {
  Json adapter = KeysSchema(AdapterKeys());
  adapter["anyOf"] = NamesFile();
  return adapter;
}

Json OutputSchema() {
  Json output = KeysSchema(OutputKeys());
  const Json split = {{"properties", {{"split", {{"const", true}}}}}, {"required", {"split"}}};
  output["if"] = split;
  output["then"] = {{"properties", {{"max_shard_size", false}}}};
  return output;
}

Json ParameterSchema(const ParameterSpec& parameter) {
  Json schema;
  if (parameter.type == ParameterType::kBoolean) {
    schema = FormSchema(ValueForm::kBoolean);
  } else if (parameter.type == ParameterType::kWord) {
    schema = OrVariable(Words({parameter.words.begin(), parameter.words.end()}));
  } else if (parameter.type == ParameterType::kSeed) {
    schema = OrVariable({{"type", "integer"}, {"minimum", 0}, {"maximum", kMostSeed}});
  } else {
    Json number = {{"type", "number"}};
    if (std::isfinite(parameter.low)) number["minimum"] = parameter.low;
    if (std::isfinite(parameter.high)) number["maximum"] = parameter.high;
    std::vector<Json> choices{number, Ref("variable")};
    if (parameter.by_place) {
      choices.push_back(ListOf(number));
      choices.push_back(Ref("block_forms"));
      choices.push_back(
          ByPlace(AnyOf({number, Ref("variable"), ListOf(number), Ref("block_forms")})));
    }
    schema = AnyOf(std::move(choices));
  }
  if (const Json value = DefaultOf(parameter); !value.is_null()) schema["default"] = value;
  return Described(std::move(schema), parameter.doc);
}

/// A mapping of what a tensor has to be like, or several.
Json WhereSchema() {
  Json filter = KeysSchema(WhereKeys());
  filter["minProperties"] = 1;
  Json list = ListOf(filter);
  list["minItems"] = 1;
  return AnyOf({std::move(filter), std::move(list)});
}

/// An entry of a list of models.
Json EntrySchema(const Operator& op) {
  Json entry = Object({{"model", Ref("operand")}}, {"model"});
  if (op.list->weighted) entry = KeysSchema(EntryKeys());
  for (const ParameterSpec* number : EntryNumbers(op)) {
    Json schema = ParameterSchema(*number);
    if (number->by_entry) schema.erase("default");
    entry["properties"][number->name] = std::move(schema);
    const bool needed = !number->by_entry && !number->default_value && !number->optional;
    if (needed) entry["required"].push_back(number->name);
  }
  return op.list->weighted ? entry : AnyOf({Ref("operand"), std::move(entry)});
}

Json OperatorSchema(const Operator& op) {
  Json properties = {{"op", {{"const", op.name}}}, {"policy", Ref("step_policy")}};
  std::vector<std::string> required{"op"};
  for (const OperandSpec& operand : op.operands) {
    properties[operand.name] = Described(Ref("operand"), operand.doc);
    if (!operand.optional) required.emplace_back(operand.name);
  }
  if (op.list) {
    Json entry = EntrySchema(op);
    if (op.list->adapters) {
      const std::string number = R"(:[-+]?[0-9.]+([eE][-+]?[0-9]+)?)";
      entry = AnyOf({Pattern(fmt::format("^[^:]+({0}({0})?)?$", number)), Ref("step"),
                     KeysSchema(AdapterEntryKeys())});
    }
    if (op.list->layers) entry = AnyOf({Ref("operand"), KeysSchema(LayerEntryKeys())});
    Json list = ListOf(std::move(entry));
    list["minItems"] = 1;
    properties[op.list->name] = Described(OrVariable(std::move(list)), op.list->doc);
    if (!op.list->optional) required.emplace_back(op.list->name);
  }
  for (const ParameterSpec& parameter : op.parameters) {
    properties[parameter.name] = ParameterSchema(parameter);
    const bool needed = !parameter.default_value && !parameter.optional;
    if (needed && !parameter.by_entry) required.emplace_back(parameter.name);
  }
  if (!op.where.empty()) {
    properties[kWhere] = Described(WhereSchema(), op.where);
    required.emplace_back(kWhere);
  }
  return Described(Object(std::move(properties), required), op.summary);
}

std::string OperatorDefinition(const Operator& op) {
  return fmt::format("op_{}", op.name);
}

/// The operator chooses the keys, so that an editor tells what is wrong with those of one.
Json StepSchema() {
  std::vector<std::string> names;
  Json choices = Json::array();
  for (const Operator* op : Operators()) {
    names.emplace_back(op->name);
    choices.push_back(
        {{"if", {{"properties", {{"op", {{"const", op->name}}}}}, {"required", {"op"}}}},
         {"then", Ref(OperatorDefinition(*op))}});
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
    const Json word = OrVariable(Words(NamesOf(std::span<const PolicyValue>(spec.values))));
    Json schema = spec.by_place ? AnyOf({word, ByPlace(word)}) : word;
    if (!step) schema["default"] = spec.values.front().name;
    properties[spec.name] = Described(std::move(schema), spec.doc);
  }
  return Object(std::move(properties));
}

Json DTypeSchema() {
  std::vector<std::string> words{"keep"};
  std::vector<std::string_view> spellings;
  for (const DTypeInfo& info : DTypes()) {
    if (!info.has_codec) continue;
    words.emplace_back(info.word);
    for (const std::string_view spelling : Spellings(info.dtype)) spellings.push_back(spelling);
  }
  return AnyOf({Words(std::move(words)), Pattern(fmt::format("^({})$", AnyCase(spellings))),
                Ref("variable")});
}

}  // namespace

std::string RecipeSchema() {
  Json schema = KeysSchema(RecipeKeys());
  schema["not"] = {{"required", {"output", "outputs"}}};
  const Json number = OrVariable({{"type", "number"}});
  const Json value = AnyOf({Ref("number"), ListOf(Ref("number")), Ref("block_forms")});
  const Json scalar = {{"type", {"number", "string", "boolean"}}, {"not", Ref("variable")}};
  const std::string variable = "[A-Za-z_][A-Za-z0-9_-]*$";
  schema["$defs"] = {
      {"name", Pattern(R"(^[^$:\x00-\x1f\x7f][^:\x00-\x1f\x7f]*$)")},
      {"variable_name", Pattern("^" + variable)},
      {"variable", Pattern("^\\$" + variable)},
      {"variable_value", AnyOf({scalar, ListOf(scalar)})},
      {"place", PlaceSchema()},
      {"component", Pattern(fmt::format("^({})$", AnyCase(Selector::Components())))},
      {"metadata_key", Pattern(R"(^(?!format$|weightsmith\.))")},
      {"number", number},
      {"block_forms", BlockForms()},
      {"weight", AnyOf({value, ByPlace(value)})},
      {"operand", AnyOf({{{"type", "string"}, {"minLength", 1}}, Ref("step")})},
      {"dtype", DTypeSchema()},
      {"file", FileSchema()},
      {"model", ModelSchema()},
      {"adapter", AdapterSchema()},
      {"policy", PolicySchema(false)},
      {"step_policy", PolicySchema(true)},
      {"output", OutputSchema()},
      {"step", StepSchema()},
  };
  for (const Operator* op : Operators()) {
    schema["$defs"][OperatorDefinition(*op)] = OperatorSchema(*op);
  }
  return ToLine(schema);
}

}  // namespace weightsmith::internal
