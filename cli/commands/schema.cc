#include "cli/schemas.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/render/layout.h"

namespace weightsmith::internal {
namespace {

std::vector<std::string_view> Names() {
  std::vector<std::string_view> names;
  for (const NamedSchema& schema : AllSchemas()) names.push_back(schema.name);
  return names;
}

int RunSchema(const ParsedArguments& arguments, Terminal& terminal) {
  if (!arguments.positionals().empty()) {
    terminal.PrintData(ToText(SchemaNamed(arguments.positionals().front())));
    return 0;
  }
  std::vector<TableRow> rows;
  for (const NamedSchema& schema : AllSchemas()) {
    rows.push_back({std::string(schema.name), std::string(schema.title)});
  }
  terminal.Print(Table(rows));
  return 0;
}

}  // namespace

const Command& schema() {
  static const std::string names = fmt::format("{}", fmt::join(Names(), ", "));
  static const Command command = {
      .name = "schema",
      .summary = "Print a JSON Schema of recipes or of JSON output",
      .doc =
          "Editors complete and check recipes with the schema `recipe`; `report` describes what "
          "`merge --report` writes, `progress` a line of `--progress json`, and the others what "
          "the "
          "commands of their names print with `--json`. Without a name: lists them.",
      .positionals = {{.name = "NAME", .doc = names, .required = false, .choices = Names()}},
      .examples = {{"weightsmith schema recipe > recipe.schema.json",
                    "For the settings of an editor:"}},
      .run = RunSchema,
  };
  return command;
}

}  // namespace weightsmith::internal
