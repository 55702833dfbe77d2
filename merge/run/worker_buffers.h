// The memory that a worker reuses from chunk to chunk. Private to merge/worker.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "core/base/aligned_vector.h"
#include "core/io/hash.h"
#include "core/tensor/digest.h"
#include "merge/program/tape.h"
#include "merge/run/buffer.h"

namespace weightsmith::internal {

/// Tiles that vector kernels may load and store whole.
template <class Real>
class AlignedTiles {
 public:
  explicit AlignedTiles(std::size_t tiles) : tiles_(tiles * kTile) {}
  std::span<Real> all() { return tiles_; }
  std::span<Real> tile(std::size_t i, std::size_t n = kTile) { return all().subspan(i * kTile, n); }

 private:
  AlignedVector<Real> tiles_;
};

/// Digests of the blocks of a range that starts at a block.
class BlockDigester {
 public:
  void Start() {
    stream_.Reset();
    filled_ = 0;
    blocks_.clear();
  }
  void Update(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const auto n = std::min<std::uint64_t>(bytes.size(), kDigestBlock - filled_);
      stream_.Update(bytes.first(n));
      filled_ += n;
      bytes = bytes.subspan(n);
      if (filled_ == kDigestBlock) EndBlock();
    }
  }
  std::vector<Digest> Finish() {
    if (filled_ > 0) EndBlock();
    return std::move(blocks_);
  }

 private:
  void EndBlock() {
    blocks_.push_back(stream_.Finish());
    stream_.Reset();
    filled_ = 0;
  }
  Xxh3Stream stream_;
  std::uint64_t filled_ = 0;
  std::vector<Digest> blocks_;
};

}  // namespace weightsmith::internal
