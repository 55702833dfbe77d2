// What the names in a pickle mean for whoever loads it with Python.
#pragma once

#include <cstdint>
#include <string_view>

namespace weightsmith::internal {

enum class GlobalSafety : std::uint8_t {
  kSafe,       ///< makes tensors and containers, as torch's own restricted loader allows
  kUnknown,    ///< code of some package would be imported and called
  kDangerous,  ///< runs programs or reaches everything else
};
std::string_view ToString(GlobalSafety safety);

/// By allow-list: what is not known to be harmless is not called safe. The dangerous ones are only
/// told apart for the message. Names are dotted: "os.system".
GlobalSafety ClassifyGlobal(std::string_view dotted);

/// Whether calling a safe one is harmless whatever the arguments; the others are types that are
/// handed on: numpy.ndarray with a buffer of objects is a way to any address.
bool MayBeCalled(std::string_view safe);

}  // namespace weightsmith::internal
