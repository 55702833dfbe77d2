#include "core/tensor/gather.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace weightsmith::internal {
namespace {

/// Memory for one bulk read.
constexpr std::uint64_t kSlab = std::uint64_t{256} << 10;

/// A bulk read that fetches more than so many bytes for one that is wanted does not pay.
constexpr std::uint64_t kMostWaste = 32;

struct BoxAxis {
  std::uint64_t size = 0;
  std::uint64_t stride = 0;  ///< in the file, bytes
  std::uint64_t packed = 0;  ///< in memory, bytes
};

/// A rectangular part of a run: `packed` is where its first element stands in memory.
struct Box {
  std::uint64_t offset = 0;
  std::uint64_t packed = 0;
  std::vector<BoxAxis> axes;
};

std::uint64_t Count(std::span<const BoxAxis> axes) {
  return std::accumulate(
      axes.begin(), axes.end(), std::uint64_t{1},
      [](std::uint64_t product, const BoxAxis& axis) { return product * axis.size; });
}

/// Divides elements [first, first + count) of a run into boxes and calls `visit` with each.
class Boxes {
 public:
  Boxes(const GatherRun& run, std::uint64_t element_size,
        const std::function<void(const Box&)>& visit)
      : visit_(visit) {
    std::uint64_t packed = element_size;
    for (auto axis = run.axes.rbegin(); axis != run.axes.rend(); ++axis) {
      axes_.insert(axes_.begin(), {axis->size, axis->stride * element_size, packed});
      packed *= axis->size;
    }
    if (axes_.empty()) axes_.push_back({1, element_size, element_size});
    element_size_ = element_size;
    offset_ = run.offset;
  }

  void Visit(std::uint64_t first, std::uint64_t count) {
    origin_ = first * element_size_;
    Divide(0, offset_, 0, first, count);
  }

 private:
  /// `first` counts elements inside the axes from `depth` on, whose own place is `before`.
  void Divide(std::size_t depth, std::uint64_t offset, std::uint64_t before, std::uint64_t first,
              std::uint64_t count) {
    const BoxAxis& axis = axes_[depth];
    const std::uint64_t row = axis.packed / element_size_;
    while (count > 0) {
      const std::uint64_t index = first / row;
      const std::uint64_t skip = first % row;
      std::uint64_t n = 0;
      if (skip == 0 && count >= row) {
        n = count / row * row;
        Emit(depth, offset + index * axis.stride, before + index * axis.packed, n / row);
      } else {
        n = std::min(row - skip, count);
        Divide(depth + 1, offset + index * axis.stride, before + index * axis.packed, skip, n);
      }
      first += n;
      count -= n;
    }
  }

  void Emit(std::size_t depth, std::uint64_t offset, std::uint64_t packed, std::uint64_t rows) {
    Box box{offset, packed - origin_, {}};
    box.axes.push_back({rows, axes_[depth].stride, axes_[depth].packed});
    box.axes.insert(box.axes.end(), axes_.begin() + static_cast<std::ptrdiff_t>(depth) + 1,
                    axes_.end());
    std::erase_if(box.axes, [](const BoxAxis& axis) { return axis.size == 1; });
    // The file's own order: neighbours in the file are visited one after the other.
    std::ranges::stable_sort(box.axes, [](const BoxAxis& a, const BoxAxis& b) {
      if ((a.stride == 0) != (b.stride == 0)) return a.stride == 0;
      return a.stride > b.stride;
    });
    visit_(box);
  }

  const std::function<void(const Box&)>& visit_;
  std::vector<BoxAxis> axes_;
  std::uint64_t element_size_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t origin_ = 0;
};

/// Calls `visit` with (file offset, packed offset) of every place of the axes.
template <class Visit>
void ForEach(std::span<const BoxAxis> axes, std::uint64_t offset, std::uint64_t packed,
             const Visit& visit) {
  if (axes.empty()) return visit(offset, packed);
  const BoxAxis& axis = axes.front();
  for (std::uint64_t i = 0; i < axis.size; ++i) {
    ForEach(axes.subspan(1), offset + i * axis.stride, packed + i * axis.packed, visit);
  }
}

/// The axes at the end whose elements follow each other in the file and in memory, both.
std::size_t TogetherFrom(const Box& box, std::uint64_t element_size, bool in_memory) {
  std::uint64_t length = element_size;
  std::size_t from = box.axes.size();
  while (from > 0) {
    const BoxAxis& axis = box.axes[from - 1];
    if (axis.stride != length || (in_memory && axis.packed != length)) break;
    length *= axis.size;
    --from;
  }
  return from;
}

/// The axes at the end that one bulk read fetches.
std::size_t SlabFrom(const Box& box, std::uint64_t element_size, std::uint64_t& bytes) {
  std::size_t from = box.axes.size();
  std::uint64_t wanted = element_size;
  bytes = element_size;
  while (from > 0) {
    const BoxAxis& axis = box.axes[from - 1];
    const std::uint64_t span = bytes + (axis.size - 1) * axis.stride;
    if (span > kSlab || span / kMostWaste > wanted * axis.size || axis.stride == 0) break;
    bytes = span;
    wanted *= axis.size;
    --from;
  }
  return from;
}

class BoxReader {
 public:
  BoxReader(const ByteSource& file, std::uint64_t element_size, std::span<std::byte> out)
      : file_(file), element_size_(element_size), out_(out) {}

  void Read(const Box& box) {
    const std::span<const BoxAxis> axes = box.axes;
    const std::size_t together = TogetherFrom(box, element_size_, true);
    if (together < axes.size() || axes.empty()) {
      const std::uint64_t length = Count(axes.subspan(together)) * element_size_;
      // Short pieces that lie close together are fetched as one.
      if (length >= kPieces || together == 0) {
        return ForEach(axes.first(together), box.offset, box.packed,
                       [&](std::uint64_t offset, std::uint64_t packed) {
                         file_.Read(offset, out_.subspan(packed, length));
                       });
      }
    }
    std::uint64_t bytes = 0;
    const std::size_t slab = SlabFrom(box, element_size_, bytes);
    slab_.resize(bytes);
    ForEach(axes.first(slab), box.offset, box.packed,
            [&](std::uint64_t offset, std::uint64_t packed) {
              file_.Read(offset, slab_);
              ForEach(axes.subspan(slab), 0, packed, [&](std::uint64_t from, std::uint64_t to) {
                std::memcpy(&out_[to], &slab_[from], element_size_);
              });
            });
  }

 private:
  static constexpr std::uint64_t kPieces = 4096;
  const ByteSource& file_;
  std::uint64_t element_size_;
  std::span<std::byte> out_;
  std::vector<std::byte> slab_;
};

void WriteBox(const Box& box, std::uint64_t element_size, std::uint32_t file,
              std::span<const std::byte> bytes, const ScatterSink& sink) {
  const std::span<const BoxAxis> axes = box.axes;
  const std::size_t straight = TogetherFrom(box, element_size, true);
  const std::size_t together = TogetherFrom(box, element_size, false);
  const std::uint64_t length = Count(axes.subspan(together)) * element_size;
  std::vector<std::byte> piece(straight == together ? 0 : length);
  ForEach(axes.first(together), box.offset, box.packed,
          [&](std::uint64_t offset, std::uint64_t packed) {
            if (piece.empty()) return sink(file, offset, bytes.subspan(packed, length));
            ForEach(axes.subspan(together), 0, packed, [&](std::uint64_t to, std::uint64_t from) {
              std::memcpy(&piece[to], &bytes[from], element_size);
            });
            sink(file, offset, piece);
          });
}

/// Calls `visit` with every run that holds some of the elements, the first of them in the run,
/// how many, and where they stand among those asked for.
template <class Visit>
void ForEachRun(const Gather& gather, std::uint64_t first, std::uint64_t count,
                const Visit& visit) {
  std::uint64_t done = 0;
  for (const GatherRun& run : gather) {
    if (done == count) return;
    const std::uint64_t elements = run.elements();
    if (first >= elements) {
      first -= elements;
      continue;
    }
    const std::uint64_t n = std::min(elements - first, count - done);
    visit(run, first, n, done);
    done += n;
    first = 0;
  }
}

}  // namespace

std::uint64_t GatherRun::elements() const {
  return std::accumulate(
      axes.begin(), axes.end(), std::uint64_t{1},
      [](std::uint64_t product, const GatherAxis& axis) { return product * axis.size; });
}

std::uint64_t GatherRun::span(std::uint64_t element_size) const {
  std::uint64_t last = 0;
  for (const GatherAxis& axis : axes) {
    if (axis.size == 0) return 0;
    last += (axis.size - 1) * axis.stride;
  }
  return (last + 1) * element_size;
}

GatherRun ContiguousRun(std::uint32_t file, std::uint64_t offset, std::uint64_t count) {
  return {file, offset, {{count, 1}}};
}

void ReadGathered(const Gather& gather, std::span<const std::shared_ptr<const ByteSource>> files,
                  std::uint64_t element_size, std::uint64_t first, std::span<std::byte> out) {
  ForEachRun(gather, first, out.size() / element_size,
             [&](const GatherRun& run, std::uint64_t from, std::uint64_t n, std::uint64_t at) {
               BoxReader reader(*files[run.file], element_size,
                                out.subspan(at * element_size, n * element_size));
               Boxes(run, element_size, [&](const Box& box) { reader.Read(box); }).Visit(from, n);
             });
}

void WriteScattered(const Gather& gather, std::uint64_t element_size, std::uint64_t first,
                    std::span<const std::byte> bytes, const ScatterSink& sink) {
  ForEachRun(gather, first, bytes.size() / element_size,
             [&](const GatherRun& run, std::uint64_t from, std::uint64_t n, std::uint64_t at) {
               const auto part = bytes.subspan(at * element_size, n * element_size);
               Boxes(run, element_size, [&](const Box& box) {
                 WriteBox(box, element_size, run.file, part, sink);
               }).Visit(from, n);
             });
}

}  // namespace weightsmith::internal
