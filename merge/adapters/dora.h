// DoRA, which any family may have on top: the directions of the changed weight with lengths of
// their own.
#pragma once

#include <memory>

#include "merge/adapters/delta_rows.h"

namespace weightsmith::internal {

/// What DoRA adds to the weight: (W + Δ)∘(magnitude / ‖W + Δ‖) - W, where `delta` is Δ of the
/// family. The norms are of rows or of input columns, as the magnitudes' shape says. Throws
/// kMismatch for magnitudes of neither.
std::unique_ptr<DeltaRows> MakeDora(const AdapterValues& values, const AdapterWeight& weight,
                                    std::unique_ptr<DeltaRows> delta, bool embedding);

}  // namespace weightsmith::internal
