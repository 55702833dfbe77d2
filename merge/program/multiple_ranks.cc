#include "merge/program/multiple_ranks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace weightsmith::internal {
namespace {

constexpr int kLeastMultipleBits = 10;
constexpr int kMostMultipleBits = 13;
/// Elements for each one that may be no multiple.
constexpr std::size_t kForEachOther = 4;
/// Lines that are not tried after one that had too many others.
constexpr std::size_t kLinesSkipped = 15;
/// Others that insertion moves, for each there is, before they are sorted.
constexpr std::size_t kOtherMoves = 8;
/// The exponents of an f32.
constexpr int kExponentBias = 127;
constexpr int kMantissaBits = 23;

float PowerOfTwo(int exponent) {
  return std::bit_cast<float>((exponent + kExponentBias) << kMantissaBits);
}

std::uint64_t OtherOf(float value, std::size_t index) {
  return std::uint64_t{std::bit_cast<std::uint32_t>(std::abs(value))} << 32 | index;
}

std::size_t IndexOfOther(std::uint64_t other) {
  return static_cast<std::uint32_t>(other);
}

}  // namespace

MultipleRanks::MultipleRanks(std::size_t length)
    : bits_(std::clamp(static_cast<int>(std::bit_width(length)), kLeastMultipleBits,
                       kMostMultipleBits)),
      keys_(length),
      places_(std::size_t{1} << bits_),
      found_(length / kForEachOther),
      sorted_(length + 1) {
  others_.reserve(found_.size());
}

std::uint64_t MultipleRanks::Bytes(std::uint64_t length) {
  constexpr std::uint64_t kOther = sizeof(std::uint64_t) + sizeof(std::uint32_t);
  return length * (sizeof(std::uint16_t) + sizeof(std::uint64_t)) + sizeof(std::uint64_t) +
         length / kForEachOther * kOther + (sizeof(std::uint32_t) << kMostMultipleBits);
}

bool MultipleRanks::Rank(std::span<const float> line, float largest, std::span<const float> shares,
                         std::size_t stride, float* out) {
  if (skipped_ > 0) {
    --skipped_;
    return false;
  }
  if (!FillKeys(line, largest)) return false;
  std::fill_n(places_.begin(), multiples_, 0);
  for (const std::uint16_t key : keys_) ++places_[key >> 1];
  std::uint32_t place = 0;
  for (std::size_t m = 0; m < multiples_; ++m) place += std::exchange(places_[m], place);
  RankMultiples(line, shares, stride, out);
  RankOthers(shares, stride, out);
  return true;
}

/// Multiples are those of a power of two: the least one for which the largest has `bits_` bits.
/// False where that is no normal number, or too many elements are others.
bool MultipleRanks::FillKeys(std::span<const float> line, float largest) {
  const int exponent = static_cast<int>(std::bit_cast<std::uint32_t>(largest) >> kMantissaBits);
  const int shift = bits_ + kExponentBias - 1 - exponent;
  // Both powers are normal numbers, and the largest magnitude is one.
  if (exponent == 0 || exponent == 255 || std::abs(shift) >= kExponentBias) return false;
  const float scale = PowerOfTwo(shift);
  const float unit = PowerOfTwo(-shift);
  std::uint16_t* const keys = keys_.data();
  std::uint32_t others = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const float magnitude = std::abs(line[i]);
    const auto multiple = static_cast<std::int32_t>(magnitude * scale);
    const std::uint32_t other = static_cast<float>(multiple) * unit != magnitude ? 1 : 0;
    keys[i] = static_cast<std::uint16_t>(static_cast<std::uint32_t>(multiple) << 1 | other);
    others += other;
  }
  multiples_ = static_cast<std::size_t>(largest * scale) + 1;
  if (others > found_.size()) skipped_ = kLinesSkipped;
  return skipped_ == 0;
}

/// Leaves places behind the multiples, where those others stand that are less than the next.
void MultipleRanks::RankMultiples(std::span<const float> line, std::span<const float> shares,
                                  std::size_t stride, float* out) {
  const std::uint16_t* const keys = keys_.data();
  std::uint32_t* const places = places_.data();
  others_.clear();
  for (std::size_t i = 0; i < line.size(); ++i) {
    const std::uint32_t key = keys[i];
    if ((key & 1) != 0) {
      others_.push_back(OtherOf(line[i], i));
    } else {
      out[i * stride] = shares[places[key >> 1]++];
    }
  }
}

void MultipleRanks::RankOthers(std::span<const float> shares, std::size_t stride, float* out) {
  if (Insert(kOtherMoves * others_.size())) {
    for (std::size_t i = 0; i < others_.size(); ++i) {
      out[IndexOfOther(sorted_[found_[i] + 1]) * stride] = shares[found_[i]];
    }
    return;
  }
  std::ranges::sort(others_);
  for (const std::uint64_t other : others_) {
    const std::size_t index = IndexOfOther(other);
    out[index * stride] = shares[places_[keys_[index] >> 1]++];
  }
}

/// Sorts others behind each multiple. False where it took more than so many moves, and was given
/// up.
bool MultipleRanks::Insert(std::size_t moves) {
  const auto place_of = [&](std::uint64_t other) -> std::uint32_t& {
    return places_[keys_[IndexOfOther(other)] >> 1];
  };
  std::uint64_t* const sorted = sorted_.data();
  // What stands before the first one is no larger: a multiple, or an other of the one before.
  for (const std::uint64_t other : others_) sorted[place_of(other)] = 0;
  for (std::size_t i = 0; i < others_.size(); ++i) {
    const std::uint64_t other = others_[i];
    const std::size_t place = place_of(other)++;
    found_[i] = static_cast<std::uint32_t>(place);
    std::size_t at = place;
    for (; other < sorted[at]; --at) sorted[at + 1] = sorted[at];
    sorted[at + 1] = other;
    if (place - at > moves) {
      for (std::size_t done = 0; done <= i; ++done) --place_of(others_[done]);
      return false;
    }
    moves -= place - at;
  }
  return true;
}

}  // namespace weightsmith::internal
