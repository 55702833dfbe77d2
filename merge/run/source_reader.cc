#include "merge/run/source_reader.h"

#include <algorithm>

namespace weightsmith::internal {

void SourceReader::Read(const Source& source, const Units& units, std::uint64_t first,
                        std::uint64_t count, std::span<std::byte> out) const {
  if (!source.segments.empty()) return ReadSegments(source, first, count, out);
  ReadStored(source, units.SizeOf(source.info.dtype), first, out);
}

void SourceReader::ReadStored(const Source& source, std::uint64_t size, std::uint64_t first,
                              std::span<std::byte> out) const {
  if (source.gather != nullptr) {
    return ReadGathered(*source.gather, files_.subspan(source.file), size, first, out);
  }
  const ByteSource& file = *files_[source.file];
  const std::uint64_t offset = source.offset + first * size;
  file.Read(offset, out);
  file.Release(offset, out.size());
}

void SourceReader::ReadSegments(const Source& source, std::uint64_t first, std::uint64_t count,
                                std::span<std::byte> out) const {
  const std::uint64_t size = Info(source.info.dtype).bits / 8;
  auto segment = std::ranges::upper_bound(source.segments, first, {}, &Segment::first) - 1;
  const std::uint64_t end = first + count;
  for (; first < end; ++segment) {
    const std::uint64_t skip = first - segment->first;
    const std::uint64_t n = std::min(segment->count - skip, end - first);
    const std::span<std::byte> to = out.first(n * size);
    if (segment->zeros) {
      std::ranges::fill(to, std::byte{0});
    } else {
      ReadStored(source, size, segment->stored + skip, to);
    }
    out = out.subspan(n * size);
    first += n;
  }
}

}  // namespace weightsmith::internal
