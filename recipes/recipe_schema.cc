#include "recipes/recipe_schema.h"

#include <fmt/format.h>

#include <cctype>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/encoding.h"
#include "merge/expression/places.h"
#include "merge/operator.h"
#include "recipes/key_schema-inl.h"
#include "recipes/operator_schema-inl.h"
#include "recipes/schema_parts-inl.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

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
  for (const Encoding* encoding : Encodings()) words.emplace_back(encoding->id);
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
  Json shared = Json::object();
  Json steps = Json::object();
  for (const Operator* op : Operators()) {
    steps[OperatorDefinition(*op)] = OperatorSchema(*op, shared);
  }
  schema["$defs"].update(shared);
  schema["$defs"].update(steps);
  return ToLine(schema);
}

}  // namespace weightsmith::internal
