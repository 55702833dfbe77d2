// Memory that starts at a cache line, so that no vector that a kernel loads lies in two.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace weightsmith::internal {

template <class T>
struct CacheLineAllocator {
  using value_type = T;

  CacheLineAllocator() = default;
  template <class U>
  explicit(false) CacheLineAllocator(const CacheLineAllocator<U>& /*other*/) {}

  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), kAlignment)); }
  void deallocate(T* values, std::size_t /*n*/) { ::operator delete(values, kAlignment); }
  bool operator==(const CacheLineAllocator& /*other*/) const { return true; }

 private:
  static constexpr std::align_val_t kAlignment{64};
};

template <class T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace weightsmith::internal
