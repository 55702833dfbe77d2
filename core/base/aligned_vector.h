// Memory that starts at a cache line, so that no vector that a kernel loads lies in two.
#pragma once

#include <cstddef>
#include <vector>

namespace weightsmith::internal {

/// Memory at a cache line; what is large comes in huge pages where the system has them, because a
/// fault for each 4 KiB takes longer than what is then computed there. Throws std::bad_alloc.
void* AllocateAligned(std::size_t bytes);
void FreeAligned(void* memory);
/// What an allocation of so many bytes takes.
std::size_t AlignedBytes(std::size_t bytes);

template <class T>
struct CacheLineAllocator {
  using value_type = T;

  CacheLineAllocator() = default;
  template <class U>
  explicit(false) CacheLineAllocator(const CacheLineAllocator<U>& /*other*/) {}

  T* allocate(std::size_t n) { return static_cast<T*>(AllocateAligned(n * sizeof(T))); }
  void deallocate(T* values, std::size_t /*n*/) { FreeAligned(values); }
  bool operator==(const CacheLineAllocator& /*other*/) const { return true; }
};

template <class T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace weightsmith::internal
