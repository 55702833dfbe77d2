// The manual page weightsmith(1), in the man macros of roff.
#pragma once

#include <string>

namespace weightsmith::internal {

std::string ManPage();

}  // namespace weightsmith::internal
