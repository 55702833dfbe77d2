// Alpha as a command line says it, turned into what a recipe says.
#pragma once

#include <string>

namespace weightsmith::internal {

/// "0.3", "GRAD_V" and "{default: 0.3, te: 0}" as they are; "0.3,IN00=0,te=0" as rows; "0,0.5,…" as
/// a list; "@FILE" as what the file holds: any of these, or rows "place: value", a line each.
/// Throws kUsage for what is none of them, kInput for a file that cannot be read.
std::string AlphaText(const std::string& words);

}  // namespace weightsmith::internal
