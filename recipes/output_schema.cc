#include "recipes/output_schema.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

namespace weightsmith::internal {
namespace {

using Json = nlohmann::ordered_json;

Json Text() {
  return {{"type", "string"}};
}
Json Count() {
  return {{"type", "integer"}, {"minimum", 0}};
}
Json Number() {
  return {{"type", "number"}};
}
Json Boolean() {
  return {{"type", "boolean"}};
}
Json Digest() {
  return {{"type", "string"}, {"pattern", "^[0-9a-f]{32}$"}};
}

/// The same with a sentence on what it is.
Json Said(Json schema, std::string_view description) {
  schema["description"] = description;
  return schema;
}

Json ListOf(Json items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}

Json MapOf(Json values) {
  return {{"type", "object"}, {"additionalProperties", std::move(values)}};
}

struct Field {
  std::string_view name;
  Json schema;
  bool optional = false;
};

Json Object(const std::vector<Field>& fields) {
  Json properties = Json::object();
  std::vector<std::string> required;
  for (const Field& field : fields) {
    properties[field.name] = field.schema;
    if (!field.optional) required.emplace_back(field.name);
  }
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"additionalProperties", false}};
}

Json Checkpoint() {
  const Json component = Object({{"tensors", Count()},
                                 {"parameters", Count()},
                                 {"bytes", Count()},
                                 {"dtypes", MapOf(Count())},
                                 {"complete", Boolean()},
                                 {"missing", ListOf(Text())},
                                 {"extra", ListOf(Text())}});
  const Json distilled = Object({{"kind", Text()}, {"by", Text()}});
  const Json adapter = Object({{"modules", Count()},
                               {"families", MapOf(Count())},
                               {"namings", MapOf(Count())},
                               {"components", MapOf(Count())},
                               {"ranks", MapOf(Count())},
                               {"alphas", MapOf(Count())},
                               {"dora", Count()},
                               {"architectures", ListOf(Text())},
                               {"modules_of_architecture", Count()}});
  const Json entry = Object({{"name", Text()},
                             {"dtype", Text()},
                             {"shape", ListOf(Count())},
                             {"component", Text()},
                             {"canonical", Text()},
                             {"role", Text()}});
  return Object({{"path", Text()},
                 {"format", Text()},
                 {"files", Count()},
                 {"bytes", Count()},
                 {"architecture", Text()},
                 {"variant", Text()},
                 {"scale", Text()},
                 {"layout", Text()},
                 {"prediction", Text()},
                 {"distilled", {{"anyOf", {distilled, Json{{"type", "null"}}}}}},
                 {"components", MapOf(component)},
                 {"tensors", Count()},
                 {"parameters", Count()},
                 {"dtypes", MapOf(Count())},
                 {"markers", ListOf(Text())},
                 {"quantization", ListOf(Text())},
                 {"damage", ListOf(Text())},
                 {"code", ListOf(Text())},
                 {"metadata", MapOf(Text())},
                 {"adapter", {{"anyOf", {adapter, Json{{"type", "null"}}}}}},
                 {"entries", ListOf(entry), true}});
}

Json PlanModel() {
  const Json part = Object({{"path", Text()},
                            {"component", Text(), true},
                            {"architecture", Text()},
                            {"variant", Text()},
                            {"layout", Text()},
                            {"bytes", Count()},
                            {"tensors", Count()}});
  return Object({{"name", Text()},
                 {"parts", ListOf(part)},
                 {"tensors_matched", Count()},
                 {"tensors_used", Count()},
                 {"tensors_unmatched", Count()},
                 {"tensors_ema", Count()},
                 {"unmatched_names", ListOf(Text())},
                 {"weight_zero", Boolean()}});
}

Json PlanOutput() {
  const Json file = Object({{"path", Text()}, {"bytes", Count()}, {"tensors", Count()}});
  const Json result = Object({{"component", Text()},
                              {"linear", Boolean()},
                              {"uniform", Boolean()},
                              {"coefficients", MapOf(Number()), true}});
  return Object({{"path", Text()}, {"files", ListOf(file)}, {"result", ListOf(result)}});
}

// A norm that is not finite is written as null.
Json Effect() {
  const Json norm = {{"type", {"number", "null"}}};
  return Object({{"elements", Count()},
                 {"elements_changed", Count()},
                 {"change_norm", norm},
                 {"before_norm", norm},
                 {"relative_change", norm}});
}

/// An adapter, and its modules; `report` has what they did.
Json Adapter(bool report) {
  const Json nullable = {{"type", {"number", "null"}}};
  const Json rows = Object({{"first", Count()}, {"count", Count()}, {"of", Count()}});
  Json module = Object({{"module", Text()},
                        {"tensor", Text()},
                        {"rows", ListOf(rows)},
                        {"transposed", Boolean()},
                        {"family", Text()},
                        {"dora", Boolean()},
                        {"rank", nullable},
                        {"alpha", nullable},
                        {"scale", Number()},
                        {"strength", Number()},
                        {"step", Text()}});
  if (report) {
    const Json effect = Object({{"elements", Count()},
                                {"elements_changed", Count()},
                                {"elements_changed_after_rounding", Count()},
                                {"change_norm", nullable},
                                {"relative_change", nullable}});
    module["properties"].update(effect["properties"]);
    for (const Json& name : effect["required"]) module["required"].push_back(name);
  }
  const Json elsewhere = Object({{"component", Text()}, {"modules", ListOf(Text())}});
  const Json others = Object({{"reason", Text()}, {"modules", ListOf(Text())}});
  return Object({{"name", Text()},
                 {"path", Text()},
                 {"applied", ListOf(module)},
                 {"elsewhere", ListOf(elsewhere)},
                 {"ignored", ListOf(others)},
                 {"unmatched", ListOf(others)}});
}

Json ReportStep() {
  Json step = Object({{"name", Text()},
                      {"op", Text()},
                      {"tensors", Count()},
                      {"tensors_changed", Count()},
                      {"tensors_copied", Count()}});
  const Json effect = Effect();
  step["properties"].update(effect["properties"]);
  for (const Json& name : effect["required"]) step["required"].push_back(name);
  return step;
}

}  // namespace

std::string InfoSchema() {
  const Json one = {{"$ref", "#/$defs/checkpoint"}};
  const Json schema = {{"anyOf", {one, ListOf(one)}}, {"$defs", {{"checkpoint", Checkpoint()}}}};
  return schema.dump();
}

std::string PlanSchema() {
  const Json step = Object({{"name", Text()}, {"op", Text()}});
  const Json disk =
      Object({{"folder", Text()}, {"bytes_needed", Count()}, {"bytes_free", Count()}});
  const Json resume = Object({{"tensors_done", Count()}, {"bytes_to_verify", Count()}});
  return Object({{"weightsmith", Text()},
                 {"models", ListOf(PlanModel())},
                 {"adapters", ListOf(Adapter(false))},
                 {"steps", ListOf(step)},
                 {"outputs", ListOf(PlanOutput())},
                 {"tensors", Count()},
                 {"tensors_copied", Count()},
                 {"bytes_to_read", Count()},
                 {"bytes_to_write", Count()},
                 {"peak_memory", Count()},
                 {"disk", ListOf(disk)},
                 {"resume", resume, true},
                 {"notes", ListOf(Text())},
                 {"warnings", ListOf(Text())}})
      .dump();
}

std::string ReportSchema() {
  const Json input = Object(
      {{"model", Text()},
       {"path", Text()},
       {"digest", Said(Digest(), "Of the tensors that were read."), true},
       {"tensors", Said(Count(), "Tensors in the file.")},
       {"tensors_read", Said(Count(), "Those that were read.")},
       {"tensors_copied", Said(Count(), "Tensors of the outputs that are this input's own.")},
       {"tensors_computed", Said(Count(), "Tensors of the outputs that were computed from it.")},
       {"tensors_changed", Said(Count(),
                                "Those of them that a step changed; of an adapter, that the "
                                "adapter changed. By how much: steps[], and of an adapter "
                                "adapters[].applied[].")},
       {"steps", Said(ListOf(Text()), "The steps that computed tensors from it.")}});
  const Json keys =
      Object({{"model", Text()},
              {"matched", Said(Count(), "Its tensors that are in an output, by name.")},
              {"unmatched", Said(Count(), "Those that are in none.")},
              {"used", Said(Count(), "Those whose values are used.")},
              {"ema", Said(Count(), "EMA copies that are left out.")}});
  const Json output = Object({{"path", Text()},
                              {"bytes", Count()},
                              {"tensors", Count()},
                              {"tensors_copied", Count()},
                              {"digest", Digest(), true},
                              {"sha256", Text(), true}});
  const Json tensor = Object({{"name", Text()},
                              {"component", Text()},
                              {"elements", Count()},
                              {"copied", Said(Boolean(), "It is a tensor of an input, unchanged.")},
                              {"non_finite", Count()},
                              {"effects", Said(MapOf(Effect()), "By step: what it changed.")}});
  return Object({{"weightsmith", Text()},
                 {"inputs", Said(ListOf(input), "The files, and what became of their tensors.")},
                 {"keys", Said(ListOf(keys), "By model: how its tensors match.")},
                 {"adapters", Said(ListOf(Adapter(true)),
                                   "By adapter: in applied[], what each module changed.")},
                 {"steps", Said(ListOf(ReportStep()), "By step: what it changed.")},
                 {"outputs", Said(ListOf(output), "The files that were written.")},
                 {"tensors",
                  Said(ListOf(tensor), "Every tensor of the outputs, where that was asked for.")},
                 {"notes", ListOf(Text())},
                 {"warnings", ListOf(Text())},
                 {"bytes_read", Count()},
                 {"bytes_written", Count()},
                 {"seconds", Number()},
                 {"sampled", Said(Boolean(), "Only a sample of the elements was computed.")},
                 {"sampled_share", Said(Number(), "The share of the elements that was.")},
                 {"resumed", Said(Boolean(), "The run went on from an interrupted one.")}})
      .dump();
}

}  // namespace weightsmith::internal
