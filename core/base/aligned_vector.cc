#include "core/base/aligned_vector.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace weightsmith::internal {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
/// From here on the rest of the last huge page is little.
constexpr std::size_t kLarge = 8 * kHugePage;

std::size_t AlignmentOf(std::size_t bytes) {
  return bytes < kLarge ? kCacheLine : kHugePage;
}

}  // namespace

void* AllocateAligned(std::size_t bytes) {
  const std::size_t size = AlignedBytes(bytes);
  void* const memory = std::aligned_alloc(AlignmentOf(bytes), size);
  if (memory == nullptr && bytes > 0) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (bytes >= kLarge) madvise(memory, size, MADV_HUGEPAGE);
#endif
  return memory;
}

std::size_t AlignedBytes(std::size_t bytes) {
  const std::size_t alignment = AlignmentOf(bytes);
  return (bytes + alignment - 1) / alignment * alignment;
}

void FreeAligned(void* memory) {
  std::free(memory);
}

}  // namespace weightsmith::internal
