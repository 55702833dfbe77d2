// The version of this library.
#pragma once

#include <string_view>

namespace weightsmith {

/// "0.1.0": of the library that is linked.
[[nodiscard]] std::string_view Version();

}  // namespace weightsmith
