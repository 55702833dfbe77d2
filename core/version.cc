#include "core/version.h"

namespace weightsmith {

std::string_view Version() {
  return WEIGHTSMITH_VERSION;
}

}  // namespace weightsmith
