// Where the results of a run go: files, or memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/io/byte_source.h"
#include "core/io/output_file.h"

namespace weightsmith::internal {

/// Any thread. Files are those of Plan::output_files.
class Destination {
 public:
  virtual ~Destination() = default;
  virtual void Write(std::uint32_t file, std::uint64_t offset,
                     std::span<const std::byte> bytes) = 0;
  /// Shares a range of `source` instead of writing it; false where that cannot be.
  virtual bool Clone(std::uint32_t /*file*/, const ByteSource& /*source*/, std::uint64_t /*from*/,
                     std::uint64_t /*offset*/, std::uint64_t /*size*/) {
    return false;
  }
};

class FileDestination final : public Destination {
 public:
  explicit FileDestination(std::vector<OutputFile>& files)
      : files_(&files), cannot_clone_(std::make_unique<std::atomic<bool>[]>(files.size())) {}

  void Write(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes) override {
    (*files_)[file].Write(offset, bytes);
  }
  bool Clone(std::uint32_t file, const ByteSource& source, std::uint64_t from, std::uint64_t offset,
             std::uint64_t size) override {
    if (cannot_clone_[file]) return false;
    const bool cloned = (*files_)[file].Clone(source, from, offset, size);
    if (!cloned) cannot_clone_[file] = true;
    return cloned;
  }

 private:
  std::vector<OutputFile>* files_;
  /// By file: true once its file system could not.
  std::unique_ptr<std::atomic<bool>[]> cannot_clone_;
};

}  // namespace weightsmith::internal
