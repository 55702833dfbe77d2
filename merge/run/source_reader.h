// Reads the operands of tasks: elements in canonical order, wherever they lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/io/byte_source.h"
#include "merge/plan/plan.h"
#include "merge/run/chunk.h"

namespace weightsmith::internal {

class SourceReader {
 public:
  /// Parallel to Plan::files. REQUIRES: they outlive the reader.
  explicit SourceReader(std::span<const std::shared_ptr<const ByteSource>> files) : files_(files) {}

  /// Units [first, first + count) of the task, of this operand.
  void Read(const Source& source, const Units& units, std::uint64_t first, std::uint64_t count,
            std::span<std::byte> out) const;

  /// Elements of the stored tensor, `size` bytes each, in its own order.
  void ReadStored(const Source& source, std::uint64_t size, std::uint64_t first,
                  std::span<std::byte> out) const;

 private:
  void ReadSegments(const Source& source, std::uint64_t first, std::uint64_t count,
                    std::span<std::byte> out) const;

  std::span<const std::shared_ptr<const ByteSource>> files_;
};

}  // namespace weightsmith::internal
