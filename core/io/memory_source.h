// Bytes that are in memory already, read as a file is.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "core/io/byte_source.h"

namespace weightsmith::internal {

/// Of no file: it has an identity of its own and never changes. `path` is for messages.
class MemorySource final : public ByteSource {
 public:
  /// `owner` keeps the bytes.
  MemorySource(std::filesystem::path path, std::span<const std::byte> bytes,
               std::shared_ptr<void> owner);

  IoBackend backend() const override { return IoBackend::kRead; }
  bool substituted() const override { return true; }
  void Read(std::uint64_t offset, std::span<std::byte> out) const override;
  std::span<const std::byte> Mapping() const override { return bytes_; }
  const std::shared_ptr<void>& owner() const { return owner_; }

 private:
  std::span<const std::byte> bytes_;
  std::shared_ptr<void> owner_;
};

}  // namespace weightsmith::internal
