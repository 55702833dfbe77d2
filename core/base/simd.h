// Which instruction set the kernels run on. Results never depend on it; tests force each in turn.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weightsmith::internal {

/// Names of the targets that were compiled and that this CPU has, best first ("AVX3", "AVX2" …).
std::vector<std::string> SimdTargets();

/// The one that kernels run on.
std::string SimdTarget();

/// Makes kernels run on `name` (case ignored), or on the best for an empty name. Call before other
/// threads compute. Throws kUsage for a name that SimdTargets() lacks.
void ForceSimdTarget(std::string_view name);

}  // namespace weightsmith::internal
