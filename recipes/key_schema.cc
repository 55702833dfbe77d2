#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recipes/key_schema-inl.h"
#include "recipes/schema_parts-inl.h"

namespace weightsmith::internal {
namespace {

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

}  // namespace

Json KeysSchema(std::span<const KeySpec> keys) {
  Json properties = Json::object();
  std::vector<std::string> required;
  for (const KeySpec& key : keys) {
    properties[key.name] = Described(FormSchema(key.form, key.name), key.doc);
    if (key.required) required.emplace_back(key.name);
  }
  return Object(std::move(properties), required);
}

}  // namespace weightsmith::internal
