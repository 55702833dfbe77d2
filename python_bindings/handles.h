// What the objects of Python hold.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/checkpoint.h"
#include "core/io/private_mapping.h"

namespace weightsmith::python {

struct OpenCheckpoint {
  std::shared_ptr<const Checkpoint> checkpoint;
};

/// The bytes of a tensor as Python sees them: pages of the file, or memory that was read.
class TensorBytes {
 public:
  explicit TensorBytes(std::vector<std::byte> read) : read_(std::move(read)), bytes_(read_) {}
  explicit TensorBytes(std::unique_ptr<PrivateMapping> mapping)
      : mapping_(std::move(mapping)), bytes_(mapping_->bytes()) {}

  std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::vector<std::byte> read_;
  std::unique_ptr<PrivateMapping> mapping_;
  std::span<std::byte> bytes_;
};

/// A tensor that is not read yet.
struct LazyTensor {
  std::shared_ptr<const Checkpoint> checkpoint;
  const CheckpointTensor* stored = nullptr;

  const TensorInfo& info() const { return stored->info; }

  /// Pages of the file where the tensor is one run of it that can be mapped; else a copy.
  std::shared_ptr<TensorBytes> View() const {
    const ByteSource& file = *checkpoint->files()[stored->file];
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

}  // namespace weightsmith::python
