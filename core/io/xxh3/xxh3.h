// XXH3-128 compiled several times, for instruction sets of rising width: the results are the same,
// the speeds are not. A shared library's copy knows only the narrowest.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weightsmith::internal {

inline constexpr std::size_t kXxh3StateSize = 576;
inline constexpr std::size_t kXxh3StateAlignment = 64;

/// One compilation. A state may move from one to another; digests are in canonical byte order.
struct Xxh3Functions {
  void (*hash)(const void* bytes, std::size_t size, std::uint8_t* digest);
  void (*reset)(void* state);
  void (*update)(void* state, const void* bytes, std::size_t size);
  void (*finish)(const void* state, std::uint8_t* digest);
};

extern const Xxh3Functions kXxh3Baseline;
extern const Xxh3Functions kXxh3Avx2;
extern const Xxh3Functions kXxh3Avx512;

}  // namespace weightsmith::internal
