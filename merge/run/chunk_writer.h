// Hands what was computed of chunks to where it belongs in the outputs.
#pragma once

#include <memory>
#include <vector>

#include "core/io/byte_source.h"
#include "merge/run/chunk.h"
#include "merge/run/destination.h"

namespace weightsmith::internal {

/// Any thread. What it is made of must outlive it.
class ChunkWriter {
 public:
  ChunkWriter(const Plan& plan, const std::vector<std::shared_ptr<const ByteSource>>& files,
              Destination& destination);

  /// Buffers for the products of a chunk.
  std::vector<Buffer> TakeBuffers() { return pool_.Take(most_products_); }
  /// Writes what the chunk has in such buffers and takes them back.
  void Write(ChunkResult& chunk);

 private:
  bool WriteClone(const Source& source, const Product& product, std::uint64_t offset,
                  std::span<const std::byte> bytes);

  const Plan* plan_;
  const std::vector<std::shared_ptr<const ByteSource>>* files_;
  Destination* destination_;
  std::size_t most_products_;
  BufferPool pool_;
};

}  // namespace weightsmith::internal
