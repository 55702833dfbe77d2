#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/render/layout.h"
#include "core/model/naming.h"
#include "merge/expression/community_list.h"
#include "recipes/jobs/json-inl.h"

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

Json ToJson(const ArchitectureRow& row) {
  Json json = {{"name", row.variant}, {"synth", row.synth}, {"components", Json::object()}};
  for (const ComponentRule& component : row.components()) {
    const auto usual = [](const TensorRule& rule) { return rule.usual; };
    json["components"][component.name] = {
        {"tensors", std::ranges::count_if(component.tensors, usual)},
        {"parameters", Parameters(component)}};
  }
  return json;
}

Json ToJson(const Architecture& architecture) {
  Json json = {{"id", architecture.id},
               {"title", architecture.title},
               {"layouts", Layouts(architecture)},
               {"prediction", ToString(architecture.prediction)},
               {"lists", CommunityList().LengthsFor(&architecture)},
               {"sizes_vary", static_cast<bool>(architecture.fit)},
               {"variants", Json::array()}};
  for (const ArchitectureRow* row : FullRows(architecture)) {
    json["variants"].push_back(ToJson(*row));
  }
  return json;
}

std::string Words(const Architecture& architecture) {
  std::vector<std::string> variants;
  std::vector<std::string> components;
  for (const ArchitectureRow* row : FullRows(architecture)) variants.emplace_back(row->variant);
  for (const ComponentRule& component : architecture.rows.front().components()) {
    components.push_back(component.name);
  }
  return fmt::format("{}: {}; {}; in the layouts {}", architecture.title, fmt::join(variants, ", "),
                     fmt::join(components, ", "), fmt::join(Layouts(architecture), ", "));
}

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  if (arguments.Has("json")) {
    Json all = Json::array();
    for (const Architecture* architecture : Architectures()) all.push_back(ToJson(*architecture));
    terminal.PrintData(ToText(all));
    return 0;
  }
  std::vector<TableRow> rows;
  for (const Architecture* architecture : Architectures()) {
    rows.push_back({std::string(architecture->id), Words(*architecture)});
  }
  terminal.Print(Table(rows));
  return 0;
}

}  // namespace

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
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith::internal
