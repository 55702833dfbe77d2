// The digest of a tensor: it goes by blocks, so that parts of a tensor are hashed by themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/io/hash.h"
#include "core/tensor/tensor.h"

namespace weightsmith::internal {

/// A tensor's content is hashed in blocks of this many bytes, counted from its start.
inline constexpr std::uint64_t kDigestBlock = std::uint64_t{1} << 20;

/// The digest of a tensor: XXH3 over its dtype name, a 0 byte, its rank and dimensions (u64, little
/// endian) and the digest of each block of its contiguous bytes, in order.
Digest TensorDigest(const TensorInfo& info, std::span<const Digest> blocks);

/// Of a tensor that lies in memory.
Digest DigestOf(const TensorInfo& info, std::span<const std::byte> bytes);

}  // namespace weightsmith::internal
