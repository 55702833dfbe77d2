// One module of an adapter as what it adds to a weight or a bias, all that its family may have on
// top included: DoRA, sparse differences, biases.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "merge/adapters/adapter.h"
#include "merge/adapters/delta_rows.h"

namespace weightsmith::internal {

enum class AdapterTarget : bool { kWeight, kBias };

/// Whether the module changes the weight (the bias) of its layer.
bool Changes(const AdapterModule& module, AdapterTarget target);

/// The size of what it changes, as a matrix; an axis of 0 is any. REQUIRES: it changes it.
MatrixSize SizeOf(const AdapterModule& module, AdapterTarget target);

/// The same by the tensors that change it alone, whatever a saved layer beside them has.
MatrixSize SizeOfChange(const AdapterModule& module, AdapterTarget target);

/// Whether the module has a copy of the layer that it was trained on beside its factors.
bool HasSaved(const AdapterModule& module, AdapterTarget target);

/// Whether the weight has to be known to say what is added to it.
bool ReadsWeight(const AdapterModule& module, AdapterTarget target);

/// Whether a tensor of the module stands in the weight's place, whatever the strength; what else
/// the module has changes that one.
bool Replaces(const AdapterModule& module, AdapterTarget target);

/// Whether what is added is in proportion to the strength.
bool IsLinear(const AdapterModule& module, AdapterTarget target);

/// Is shown the bytes of a tensor of an adapter: its index in the checkpoint.
using SeeTensor = std::function<void(std::uint32_t tensor, std::span<const std::byte> bytes)>;

/// Reads the module's tensors, and shows their bytes to `see`, where it is given. Throws kMismatch,
/// naming it, for a tensor with values that are not finite; kInput for one of a dtype that is no
/// number's.
AdapterValues ReadValues(const Checkpoint& checkpoint, const AdapterModule& module, double strength,
                         const SeeTensor& see = {});

/// What the module adds to the weight; where it replaces, what stands in the weight's place, or,
/// where the weight is known, the difference to it. `weight` outlives the result. Throws kMismatch
/// for shapes that do not fit.
std::unique_ptr<DeltaRows> MakeDelta(const AdapterModule& module, AdapterTarget target,
                                     const AdapterValues& values, const AdapterWeight& weight);

/// Bytes that MakeDelta holds, at most, beside the values and the weight, its result included.
std::uint64_t DeltaBytes(const AdapterModule& module, AdapterTarget target, const Shape& weight);

/// Bytes that ReadValues holds, at most, its result included, and MakeDelta of copies of it.
std::uint64_t ValueBytes(const AdapterModule& module);

}  // namespace weightsmith::internal
