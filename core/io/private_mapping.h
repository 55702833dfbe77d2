// Part of a file as memory that may be written to: what is written stays in the process and is seen
// through this mapping alone; pages that are only read are those of the page cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/io/byte_source.h"

namespace weightsmith::internal {

class PrivateMapping {
 public:
  /// Nothing where the system cannot map the file, or for size 0. Like any mapping, it is safe only
  /// while nobody truncates the file. REQUIRES: the range lies in the file.
  PrivateMapping(const ByteSource& file, std::uint64_t offset, std::uint64_t size);
  ~PrivateMapping();
  PrivateMapping(const PrivateMapping&) = delete;
  PrivateMapping& operator=(const PrivateMapping&) = delete;

  std::span<std::byte> bytes() const { return bytes_; }

 private:
  void* address_ = nullptr;
  std::size_t length_ = 0;
  std::span<std::byte> bytes_;
};

}  // namespace weightsmith::internal
