// The version of this program and library, from the file VERSION.
#pragma once

#include <string_view>

namespace weightsmith {

std::string_view Version();

}  // namespace weightsmith
