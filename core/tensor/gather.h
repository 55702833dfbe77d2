// Where the elements of a tensor lie that is not one run of bytes in a file: parts of a fused
// matrix, a transpose, a strided view. The same description serves reading and writing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/io/byte_source.h"

namespace weightsmith::internal {

struct GatherAxis {
  std::uint64_t size = 0;
  std::uint64_t stride = 0;  ///< elements; 0 repeats
};

/// Elements at regular distances in one file, in row-major order of their axes.
struct GatherRun {
  std::uint32_t file = 0;
  std::uint64_t offset = 0;  ///< of the first element, bytes
  std::vector<GatherAxis> axes;

  std::uint64_t elements() const;
  /// Bytes from the first element to the end of the last.
  std::uint64_t span(std::uint64_t element_size) const;
};

/// Runs of which the first holds the first elements of the tensor, and so on.
using Gather = std::vector<GatherRun>;

/// The run of `count` elements that lie together.
GatherRun ContiguousRun(std::uint32_t file, std::uint64_t offset, std::uint64_t count);

/// Fills `out` with elements [first, first + out.size() / element_size) of the tensor.
void ReadGathered(const Gather& gather, std::span<const std::shared_ptr<const ByteSource>> files,
                  std::uint64_t element_size, std::uint64_t first, std::span<std::byte> out);

/// Takes bytes for a place in a file.
using ScatterSink =
    std::function<void(std::uint32_t file, std::uint64_t offset, std::span<const std::byte>)>;

/// Hands elements [first, first + bytes.size() / element_size) to their places, in the longest
/// pieces that lie together. REQUIRES: no stride is 0.
void WriteScattered(const Gather& gather, std::uint64_t element_size, std::uint64_t first,
                    std::span<const std::byte> bytes, const ScatterSink& sink);

}  // namespace weightsmith::internal
