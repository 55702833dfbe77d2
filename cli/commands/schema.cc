#include "recipes/schema.h"

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/render/layout.h"

namespace weightsmith::internal {
namespace {

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  if (!arguments.positionals().empty()) {
    terminal.PrintData(SchemaText(arguments.positionals().front()));
    return 0;
  }
  std::vector<TableRow> rows;
  for (const SchemaEntry& entry : Schemas()) {
    rows.push_back({std::string(entry.name), std::string(entry.title)});
  }
  terminal.Print(Table(rows));
  return 0;
}

}  // namespace

const Command& schema() {
  static const Command command = {
      .name = "schema",
      .summary = "Print a JSON Schema of recipes or of JSON output",
      .doc =
          "Editors complete and check recipes with the schema `recipe`; `info`, `plan` and "
          "`report` describe the output of `info --json`, `plan --json` and `merge --report`. "
          "Without a name: lists them.",
      .positionals = {{.name = "NAME",
                       .doc = "info, plan, recipe or report",
                       .required = false,
                       .choices = {"info", "plan", "recipe", "report"}}},
      .examples = {{"weightsmith schema recipe > recipe.schema.json",
                    "For the settings of an editor:"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith::internal
