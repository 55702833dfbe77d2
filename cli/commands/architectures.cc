#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/render/layout.h"
#include "cli/schemas.h"
#include "core/model/naming.h"
#include "merge/expression/community_list.h"
#include "recipes/jobs/record-inl.h"

namespace weightsmith::internal {
namespace {

std::uint64_t Parameters(const ComponentRule& component) {
  std::uint64_t sum = 0;
  for (const TensorRule& rule : component.tensors) {
    if (rule.role == Role::kWeight && rule.usual) sum += ElementCount(rule.shape).value_or(0);
  }
  return sum;
}

std::vector<const ArchitectureRow*> FullRows(const Architecture& architecture) {
  std::vector<const ArchitectureRow*> rows;
  for (const ArchitectureRow& row : architecture.rows) {
    if (row.scale == "full") rows.push_back(&row);
  }
  return rows;
}

/// Names of its tensors that files are found in.
std::vector<std::string> Layouts(const Architecture& architecture) {
  std::vector<std::string> layouts{std::string(architecture.layout)};
  if (architecture.bare_layout != architecture.layout) {
    layouts.emplace_back(architecture.bare_layout);
  }
  const Naming* const other = NamingOf(architecture.rows.front().components().front());
  if (other != nullptr && other->id == "diffusers") layouts.emplace_back("diffusers");
  return layouts;
}

std::uint64_t UsualTensors(const ComponentRule& component) {
  return static_cast<std::uint64_t>(std::ranges::count_if(component.tensors, &TensorRule::usual));
}

std::vector<std::pair<std::string, ComponentRule>> Components(const ArchitectureRow& row) {
  std::vector<std::pair<std::string, ComponentRule>> components;
  for (ComponentRule& component : row.components()) {
    std::string name = component.name;
    components.emplace_back(std::move(name), std::move(component));
  }
  return components;
}

}  // namespace

template <>
const Record<ComponentRule>& RecordOf() {
  static const Record<ComponentRule> record = {
      "ArchitectureComponent",
      "A component of a variant.",
      {{"tensors", UsualTensors, "Tensors that a published file has of it."},
       {"parameters", Parameters, "Elements of its weights."}}};
  return record;
}

template <>
const Record<ArchitectureRow>& RecordOf() {
  static const Record<ArchitectureRow> record = {
      "ArchitectureVariant",
      "A variant of an architecture.",
      {{"name", &ArchitectureRow::variant, "\"base\", \"dev\" …"},
       {"synth", &ArchitectureRow::synth, "The name that `synth` knows it by."},
       {"components", Components, "By name."}}};
  return record;
}

template <>
const Record<Architecture>& RecordOf() {
  static const Record<Architecture> record = {
      "Architecture",
      "An architecture that is recognised.",
      {{"id", &Architecture::id, "\"sd1\", \"sdxl\", \"flux1\" …"},
       {"title", &Architecture::title, "As people call it."},
       {"layouts", Layouts, "Names of its tensors that files are found in."},
       {"prediction", &Architecture::prediction, "What the model predicts."},
       {"lists", [](const Architecture& of) { return CommunityList().LengthsFor(&of); },
        "How many numbers a list of weights may have."},
       {"sizes_vary", [](const Architecture& of) { return static_cast<bool>(of.fit); },
        "The sizes of a file are its own."},
       {"variants", FullRows, "All of them."}}};
  return record;
}

namespace {

std::string ArchitectureWords(const Architecture& architecture) {
  std::vector<std::string> variants;
  std::vector<std::string> components;
  for (const ArchitectureRow* row : FullRows(architecture)) variants.emplace_back(row->variant);
  for (const ComponentRule& component : architecture.rows.front().components()) {
    components.push_back(component.name);
  }
  return fmt::format("{}: {}; {}; in the layouts {}", architecture.title, fmt::join(variants, ", "),
                     fmt::join(components, ", "), fmt::join(Layouts(architecture), ", "));
}

int RunArchitectures(const ParsedArguments& arguments, Terminal& terminal) {
  if (arguments.Has("json")) {
    terminal.PrintData(JsonText(Architectures()));
    return 0;
  }
  std::vector<TableRow> rows;
  for (const Architecture* architecture : Architectures()) {
    rows.push_back({std::string(architecture->id), ArchitectureWords(*architecture)});
  }
  terminal.Print(Table(rows));
  return 0;
}

}  // namespace

std::string ArchitecturesSchema() {
  return JsonSchema<decltype(Architectures())>();
}

const Command& architectures() {
  static const Command command = {
      .name = "architectures",
      .summary = "List the known architectures",
      .doc =
          "What `info` recognises: each architecture with its variants, components and "
          "layouts. Models of an unknown architecture merge with models of the same names and "
          "shapes; their blocks have the names of their tensors.",
      .positionals = {},
      .flags = {{.name = "json", .doc = "Print JSON, with tensors and parameters of components"}},
      .examples = {{"weightsmith architectures", "All of them:"}},
      .run = RunArchitectures,
  };
  return command;
}

}  // namespace weightsmith::internal
