#include "merge/run/chunk_writer.h"

#include <utility>

namespace weightsmith::internal {
namespace {

/// What file systems share in reflinks.
constexpr std::uint64_t kBlock = 4096;

}  // namespace

void ChunkWriter::Write(Slice&& slice) {
  const Task& task = context_->plan->tasks[slice.task];
  const Units units = UnitsOf(task);
  for (std::size_t p = 0; p < task.products.size(); ++p) {
    const Product& product = task.products[p];
    const std::uint64_t size = units.SizeOf(product.dtype);
    const std::uint64_t offset = product.offset + slice.first * size;
    const std::span<const std::byte> bytes = slice.bytes[p].bytes();
    if (bytes.empty()) continue;
    if (product.scatter != nullptr) {
      WriteScattered(*product.scatter, size, slice.first, bytes,
                     [this](std::uint32_t file, std::uint64_t at, std::span<const std::byte> run) {
                       destination_->Write(file, at, run);
                     });
      continue;
    }
    if (!product.copy || !WriteClone(task.sources[*product.copy], product, offset, bytes)) {
      destination_->Write(product.file, offset, bytes);
    }
  }
  context_->buffers.Give(std::move(slice.bytes));
}

bool ChunkWriter::WriteClone(const Source& source, const Product& product, std::uint64_t offset,
                             std::span<const std::byte> bytes) {
  const ByteSource& file = *context_->files[source.file];
  if (!source.segments.empty() || source.gather != nullptr || file.substituted()) return false;
  // Blocks can be shared where the bytes lie at the same place in a block on both sides.
  const std::uint64_t from = source.offset + (offset - product.offset);
  const std::uint64_t first = (offset + kBlock - 1) / kBlock * kBlock;
  const std::uint64_t end = (offset + bytes.size()) / kBlock * kBlock;
  if (from % kBlock != offset % kBlock || first >= end) return false;
  if (!destination_->Clone(product.file, file, from + (first - offset), first, end - first)) {
    return false;
  }
  destination_->Write(product.file, offset, bytes.first(first - offset));
  destination_->Write(product.file, end, bytes.subspan(end - offset));
  return true;
}

}  // namespace weightsmith::internal
