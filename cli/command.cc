#include "cli/command.h"

#include <fmt/format.h>

#include <string>

#include "core/base/error.h"
#include "core/base/text.h"

namespace weightsmith::internal {

const Command& CommandByName(std::string_view name) {
  std::vector<std::string> names;
  for (const Command* command : Commands()) {
    if (command->name == name) return *command;
    names.emplace_back(command->name);
  }
  throw Error(ErrorCode::kUsage,
              fmt::format("unknown command {}.{}", Quote(name), DidYouMean(name, names)),
              "'weightsmith -h' lists the commands.");
}

}  // namespace weightsmith::internal
