// Hands results to where they belong in the outputs.
#pragma once

#include "merge/run/chunk.h"
#include "merge/run/destination.h"
#include "merge/run/worker_context.h"

namespace weightsmith::internal {

/// Any thread. What it is made of must outlive it.
class ChunkWriter {
 public:
  ChunkWriter(WorkerContext& context, Destination& destination)
      : context_(&context), destination_(&destination) {}

  /// Buffers for the products of a task.
  std::vector<Buffer> TakeBuffers() { return context_->buffers.Take(context_->most.products); }
  /// Writes what the slice has in such buffers and takes them back.
  void Write(Slice&& slice);

 private:
  bool WriteClone(const Source& source, const Product& product, std::uint64_t offset,
                  std::span<const std::byte> bytes);

  WorkerContext* context_;
  Destination* destination_;
};

}  // namespace weightsmith::internal
