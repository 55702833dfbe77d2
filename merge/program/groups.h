// The largest elements of every so many that follow each other (n:m sparsity).
#pragma once

#include <cstddef>
#include <span>

namespace weightsmith::internal {

/// `out` gets the `keep` elements of largest magnitude of each `group` of x, and 0 for others. Of
/// equal magnitudes the earlier is the larger, a NaN is larger than all. Of a last, smaller group
/// as large a share is kept, rounded up. `out` may be x.
void KeepLargestOfGroups(std::span<const float> x, std::size_t keep, std::size_t group,
                         std::span<float> out);
void KeepLargestOfGroups(std::span<const double> x, std::size_t keep, std::size_t group,
                         std::span<double> out);

}  // namespace weightsmith::internal
