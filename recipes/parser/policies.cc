#include "recipes/parser/policies.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "core/base/text.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

void ReadPolicy(Reader& reader, const PolicySpec& spec, const SourceNode& value,
                const std::string& what, Policies& policies) {
  const std::vector<std::string> words = NamesOf(std::span<const PolicyValue>(spec.values));
  const auto word = [&](const SourceNode& node) {
    return reader.Word(node, what, words, spec.doc);
  };
  if (spec.by_place) {  // missing, the one that may differ by place
    const auto rows = reader.ByPlace<MissingPolicy>(
        value, what, [&](const SourceNode& node) -> std::optional<MissingPolicy> {
          const auto index = word(node);
          if (!index) return std::nullopt;
          return static_cast<MissingPolicy>(*index);
        });
    if (rows) policies.missing = *rows;
    return;
  }
  if (const auto index = word(value)) spec.values[*index].apply(policies);
}

void ReadOne(Reader& reader, const std::string& name, const SourcePlace& place,
             const SourceNode& value, const std::string& step, Policies& policies) {
  const std::string where = step.empty() ? "policy" : "step " + Quote(step) + ": policy";
  const std::string what = fmt::format("{} '{}'", where, name);
  const auto table = PolicyTable();
  const auto spec = std::ranges::find(table, name, &PolicySpec::name);
  if (spec == table.end()) {
    std::vector<std::string> known = NamesOf(table);
    std::ranges::sort(known);
    const std::string hint = Hint(name, known);
    reader.diagnostics().AddError(
        place, fmt::format("{} has no key {}{}", where, Quote(name), hint),
        hint.empty() ? fmt::format("Policies are {}.", fmt::join(known, ", ")) : std::string());
    return;
  }
  if (!step.empty() && !spec->per_step) {
    reader.diagnostics().AddError(
        place, fmt::format("{} applies to the whole recipe, not to one step", what),
        "Move it to 'policy' at the top of the recipe.");
    return;
  }
  ReadPolicy(reader, *spec, value, what, policies);
}

}  // namespace

void ReadPolicies(Reader& reader, const SourceNode& node, const std::string& step,
                  Policies& policies) {
  const std::string what = step.empty() ? "policy" : "step " + Quote(step) + ": policy";
  if (!reader.IsMap(node, what, "Write a key and a value: {missing: keep}")) return;
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    ReadOne(reader, node.keys[i].text, node.keys[i].place, node.items[i], step, policies);
  }
}

void ReadPolicyOption(Reader& reader, const std::string& name, const std::string& value,
                      Policies& policies) {
  const auto source = std::make_shared<const SourceText>(
      SourceText{fmt::format("policy {}", Quote(name)), value, Setting::kPolicy, name});
  ReadOne(reader, name, {source, 0, 0}, ReadOption(source, reader.diagnostics()), "", policies);
}

}  // namespace weightsmith::internal
