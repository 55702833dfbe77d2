#include "recipes/jobs/tensor_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "core/codec.h"
#include "core/error.h"
#include "core/tensor_digest.h"
#include "merge/tape.h"

namespace weightsmith {
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
  Progress progress;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    progress.bytes_total += tensor.info.bytes();
  }
  std::vector<ScannedTensor> scanned;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    ScannedTensor result{tensor.name, tensor.info, {}, 0};
    result.digest = DigestOf(checkpoint, tensor, [&](std::span<const std::byte> bytes) {
      result.non_finite += CountNonFiniteStored(tensor.info.dtype, bytes);
      progress.bytes_done += bytes.size();
      progress.bytes_read = progress.bytes_done;
      const bool asked = options.cancel != nullptr && *options.cancel;
      if (asked || (options.progress && !options.progress(progress))) {
        throw Error(ErrorCode::kInterrupted, "interrupted");
      }
    });
    scanned.push_back(std::move(result));
  }
  return scanned;
}

}  // namespace weightsmith
