// Memory that is reused from chunk to chunk.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "core/base/aligned_vector.h"

namespace weightsmith::internal {

/// Memory that grows to the largest size asked for and is never cleared.
class Buffer {
 public:
  std::span<std::byte> Take(std::size_t size) {
    if (size > capacity_) {
      bytes_.reset(CacheLineAllocator<std::byte>().allocate(size));
      capacity_ = size;
    }
    taken_ = {bytes_.get(), size};
    return taken_;
  }
  /// What was taken last.
  std::span<std::byte> bytes() const { return taken_; }

 private:
  struct Free {
    void operator()(std::byte* bytes) const {
      CacheLineAllocator<std::byte>().deallocate(bytes, 0);
    }
  };
  std::unique_ptr<std::byte, Free> bytes_;
  std::size_t capacity_ = 0;
  std::span<std::byte> taken_;
};

/// Sets of buffers that go from who fills them to who writes them, and back. Any thread.
class BufferPool {
 public:
  /// One that was given back, or a new one.
  std::vector<Buffer> Take(std::size_t size) {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) return std::vector<Buffer>(size);
    std::vector<Buffer> buffers = std::move(free_.back());
    free_.pop_back();
    return buffers;
  }
  void Give(std::vector<Buffer> buffers) {
    const std::scoped_lock lock(mutex_);
    free_.push_back(std::move(buffers));
  }

 private:
  std::mutex mutex_;
  std::vector<std::vector<Buffer>> free_;
};

}  // namespace weightsmith::internal
