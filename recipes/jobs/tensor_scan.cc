#include "recipes/jobs/tensor_scan.h"

#include <algorithm>
#include <array>
#include <limits>

#include "core/formats/tensor_digest.h"
#include "core/tensor/codec.h"
#include "merge/program/tape.h"
#include "recipes/jobs/read_progress.h"

namespace weightsmith::internal {
namespace {

// Small tiles that stay in cache between decoding and counting. F64 has values that f32 has not.
template <class Real>
std::uint64_t CountNonFiniteStored(DType dtype, std::span<const std::byte> bytes) {
  const std::size_t size = Info(dtype).bits / 8;
  std::uint64_t count = 0;
  alignas(64) std::array<Real, kTile> tile;
  while (!bytes.empty()) {
    const std::size_t n = std::min(kTile, bytes.size() / size);
    const std::span<Real> values = std::span(tile).first(n);
    Decode(dtype, bytes.first(n * size), values);
    count += CountNotBelow(std::span<const Real>(values), std::numeric_limits<Real>::infinity());
    bytes = bytes.subspan(n * size);
  }
  return count;
}

std::uint64_t CountNonFiniteStored(DType dtype, std::span<const std::byte> bytes) {
  if (!Info(dtype).has_codec) return 0;
  return dtype == DType::kF64 ? CountNonFiniteStored<double>(dtype, bytes)
                              : CountNonFiniteStored<float>(dtype, bytes);
}

}  // namespace

std::vector<ScannedTensor> ScanTensors(const Checkpoint& checkpoint, const RunOptions& options) {
  std::uint64_t bytes = 0;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) bytes += tensor.info.bytes();
  ReadProgress progress(options, bytes);
  std::vector<ScannedTensor> scanned;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    ScannedTensor result{tensor.name, tensor.info, {}, 0};
    result.digest = DigestOf(checkpoint, tensor, [&](std::span<const std::byte> block) {
      result.non_finite += CountNonFiniteStored(tensor.info.dtype, block);
      progress.Add(block.size());
    });
    scanned.push_back(std::move(result));
  }
  return scanned;
}

}  // namespace weightsmith::internal
