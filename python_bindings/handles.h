// What the objects of Python hold.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/io/memory_source.h"
#include "core/io/private_mapping.h"

namespace weightsmith::internal::python {

struct OpenCheckpoint {
  std::shared_ptr<const Checkpoint> checkpoint;
};

/// The bytes of a tensor as Python sees them: pages of the file, or memory that was read.
class TensorBytes {
 public:
  explicit TensorBytes(std::vector<std::byte> read) : read_(std::move(read)), bytes_(read_) {}
  explicit TensorBytes(std::unique_ptr<PrivateMapping> mapping)
      : mapping_(std::move(mapping)), bytes_(mapping_->bytes()) {}
  /// Memory that others share.
  TensorBytes(std::shared_ptr<void> owner, std::span<std::byte> bytes)
      : owner_(std::move(owner)), bytes_(bytes) {}

  std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::vector<std::byte> read_;
  std::unique_ptr<PrivateMapping> mapping_;
  std::shared_ptr<void> owner_;
  std::span<std::byte> bytes_;
};

/// A tensor that is not read yet.
struct LazyTensor {
  std::shared_ptr<const Checkpoint> checkpoint;
  const CheckpointTensor* stored = nullptr;

  const TensorInfo& info() const { return stored->info; }

  /// Pages of the file where the tensor is one run of it that can be mapped, and memory where it is
  /// there already; else a copy.
  std::shared_ptr<TensorBytes> View() const {
    const ByteSource& file = *checkpoint->files()[stored->file];
    if (const auto* const memory = dynamic_cast<const MemorySource*>(&file)) {
      // What a run computed belongs to whoever asked for it.
      auto* const first = const_cast<std::byte*>(memory->Mapping().data()) + stored->offset;
      return std::make_shared<TensorBytes>(memory->owner(), std::span(first, info().bytes()));
    }
    if (stored->gather == nullptr && !file.Mapping().empty()) {
      auto mapping = std::make_unique<PrivateMapping>(file, stored->offset, info().bytes());
      if (!mapping->bytes().empty()) return std::make_shared<TensorBytes>(std::move(mapping));
    }
    return Copy();
  }
  std::shared_ptr<TensorBytes> Copy() const {
    return std::make_shared<TensorBytes>(checkpoint->Read(*stored));
  }
};

}  // namespace weightsmith::internal::python
