// Random numbers that belong to places, not to an order: the number of an element is a function of
// the seed, of who draws it and of where the element is. Threads, tiles, parts and the layout of
// files change nothing.
//
// The generator is Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// 2011). Its key is the seed, the low 32 bits first. Its counter is the element's index divided by
// four and then the 64 bits of the place, each with the low 32 bits first; word i of a result is
// that of the element whose index is i modulo four. The place is the FNV-1a of 64 bits over the
// operator's name, the index of its operand in decimal digits and the tensor's canonical name, with
// a line feed between them.
//
// - A uniform number is the upper 24 bits of the word over 2^24: in [0, 1), and exact in f32.
// - A normal number is the normal quantile of (word + 1/2) / 2^32, by Wichura's AS 241 (PPND16), in
//   f64: within ±6.3.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weightsmith::internal {

/// Which numbers: those of one operand of one operator in one tensor.
struct RandomStream {
  std::uint64_t seed = 0;
  std::uint64_t place = 0;

  bool operator==(const RandomStream&) const = default;
};

RandomStream StreamOf(std::uint64_t seed, std::string_view op, std::size_t operand,
                      std::string_view tensor);

/// One block of the generator.
std::array<std::uint32_t, 4> Philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key);

/// Where |p - 1/2| is more than this, the quantile is NormalTail's.
inline constexpr double kNormalCentre = 0.425;

/// The normal quantile of p. REQUIRES: |p - 1/2| is above kNormalCentre, and p is at least 2^-33
/// and at most 1 - 2^-33.
double NormalTail(double p);

}  // namespace weightsmith::internal
