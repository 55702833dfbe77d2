// The kernels of merge/program/random.h, once for every instruction set.

#if defined(WEIGHTSMITH_MERGE_RANDOM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEIGHTSMITH_MERGE_RANDOM_INL_H_
#undef WEIGHTSMITH_MERGE_RANDOM_INL_H_
#else
#define WEIGHTSMITH_MERGE_RANDOM_INL_H_
#endif

#include <hwy/highway.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "merge/program/random.h"
#include "merge/program/sums-inl.h"
#include "merge/program/tape.h"

HWY_BEFORE_NAMESPACE();
namespace weightsmith::internal {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// Blocks that cover a tile wherever it begins, and what vectors write behind them.
constexpr std::size_t kRandomBlocks = kTile / 4 + 1 + kLanes;
constexpr std::size_t kRandomWords = 4 * kRandomBlocks;

/// The product of a factor and the lower half of a lane.
template <class D, class V>
HWY_INLINE V Product(D d, std::uint32_t factor, V word) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(d, std::uint64_t{factor} * static_cast<std::uint32_t>(hn::GetLane(word)));
#else
  const hn::Repartition<std::uint32_t, D> halves;
  return hn::MulEven(hn::BitCast(halves, hn::Set(d, factor)), hn::BitCast(halves, word));
#endif
}

/// A round of the generator on blocks. What is in the upper halves of words is never read.
template <class D, class V>
HWY_INLINE void RandomRound(D d, std::uint32_t key0, std::uint32_t key1, V& c0, V& c1, V& c2,
                            V& c3) {
  const V first = Product(d, 0xD2511F53u, c0);
  const V second = Product(d, 0xCD9E8D57u, c2);
  c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(second), c1), hn::Set(d, key0));
  c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(first), c3), hn::Set(d, key1));
  c1 = second;
  c3 = first;
}

/// Stores blocks one after the other, of which each second one is in the upper half of the lanes.
template <class D, class V>
HWY_INLINE void StoreBlocks(D d, V c0, V c1, V c2, V c3, std::uint32_t* HWY_RESTRICT words) {
  const V low = hn::Set(d, 0xFFFFFFFFu);
  const V even = hn::Or(hn::And(c0, low), hn::ShiftLeft<32>(c1));
  const V odd = hn::Or(hn::And(c2, low), hn::ShiftLeft<32>(c3));
#if HWY_TARGET == HWY_SCALAR
  const std::uint64_t pairs[] = {hn::GetLane(even), hn::GetLane(odd)};
  std::memcpy(words, pairs, sizeof(pairs));
#else
  const hn::Repartition<std::uint32_t, D> halves;
  hn::StoreU(hn::BitCast(halves, hn::InterleaveLower(d, even, odd)), halves, words);
  hn::StoreU(hn::BitCast(halves, hn::InterleaveUpper(d, even, odd)), halves,
             words + hn::Lanes(halves));
#endif
}

/// The blocks from `block` on. A lane computes a block, and two vectors are computed at a time: the
/// rounds of one wait for each other.
inline void RandomBlocks(const RandomStream& stream, std::uint64_t block, std::size_t blocks,
                         std::uint32_t* HWY_RESTRICT words) {
  const hn::CappedTag<std::uint64_t, 8> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN std::uint64_t order[8];  // as StoreBlocks takes them
  for (std::size_t i = 0; i < lanes; ++i) order[i] = i / 2 + i % 2 * (lanes / 2);
  for (std::size_t b = 0; b < blocks; b += 2 * lanes) {
    const V index = hn::Add(hn::Set(d, block + b), hn::Load(d, order));
    const V next = hn::Add(index, hn::Set(d, lanes));
    V a0 = index;
    V a1 = hn::ShiftRight<32>(index);
    V a2 = hn::Set(d, stream.place);
    V a3 = hn::Set(d, stream.place >> 32);
    V b0 = next;
    V b1 = hn::ShiftRight<32>(next);
    V b2 = a2;
    V b3 = a3;
    auto key0 = static_cast<std::uint32_t>(stream.seed);
    auto key1 = static_cast<std::uint32_t>(stream.seed >> 32);
    for (int round = 0; round < 10; ++round) {
      RandomRound(d, key0, key1, a0, a1, a2, a3);
      RandomRound(d, key0, key1, b0, b1, b2, b3);
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    StoreBlocks(d, a0, a1, a2, a3, words + 4 * b);
    StoreBlocks(d, b0, b1, b2, b3, words + 4 * (b + lanes));
  }
}

/// The words of n elements from `first` on, in their order; `words` has kRandomWords.
inline std::uint32_t* RandomElements(const RandomStream& stream, std::uint64_t first, std::size_t n,
                                     std::uint32_t* HWY_RESTRICT words) {
  const auto skipped = static_cast<std::size_t>(first % 4);
  RandomBlocks(stream, first / 4, (skipped + n + 3) / 4, words);
  return words + skipped;
}

/// The signed integers that stand at `words`, as numbers of T.
template <class T>
HWY_INLINE Vector<T> FromWords(const std::uint32_t* words, int shift) {
  const Tag<T> d;
  const hn::Rebind<std::uint32_t, Tag<T>> unsigned_tag;
  const hn::Rebind<std::int32_t, Tag<T>> signed_tag;
  const auto bits = hn::LoadU(unsigned_tag, words);
  const auto shifted = hn::BitCast(signed_tag, hn::ShiftRightSame(bits, shift));
  if constexpr (sizeof(T) == sizeof(float))
    return hn::ConvertTo(d, shifted);
  else
    return hn::PromoteTo(d, shifted);
}

template <class T>
void Uniform(std::size_t n, std::uint64_t first, const RandomStream& stream, T* out) {
  const Tag<T> d;
  HWY_ALIGN std::uint32_t buffer[kRandomWords];
  const std::uint32_t* words = RandomElements(stream, first, n, buffer);
  const Vector<T> unit = hn::Set(d, T{0x1p-24});
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    hn::Store(hn::Mul(unit, FromWords<T>(words + i, 8)), d, out + i);
  }
}

/// AS 241 for |p - 1/2| up to kNormalCentre, of q = p - 1/2.
template <class V>
HWY_INLINE V NormalCentre(V q) {
  const hn::DFromV<V> d;
  constexpr double kAbove[] = {2.5090809287301226727e+3, 3.3430575583588128105e+4,
                               6.7265770927008700853e+4, 4.5921953931549871457e+4,
                               1.3731693765509461125e+4, 1.9715909503065514427e+3,
                               1.3314166789178437745e+2, 3.3871328727963666080e+0};
  constexpr double kBelow[] = {5.2264952788528545610e+3, 2.8729085735721942674e+4,
                               3.9307895800092710610e+4, 2.1213794301586595867e+4,
                               5.3941960214247511077e+3, 6.8718700749205790830e+2,
                               4.2313330701600911252e+1, 1.0};
  const V x = hn::Sub(hn::Set(d, 0.180625), hn::Mul(q, q));
  V above = hn::Set(d, kAbove[0]);
  V below = hn::Set(d, kBelow[0]);
  for (std::size_t i = 1; i < 8; ++i) {
    above = hn::Add(hn::Mul(above, x), hn::Set(d, kAbove[i]));
    below = hn::Add(hn::Mul(below, x), hn::Set(d, kBelow[i]));
  }
  return hn::Div(hn::Mul(q, above), below);
}

template <class T>
void Normal(std::size_t n, std::uint64_t first, const RandomStream& stream, T* out) {
  const Tag<double> d;
  HWY_ALIGN std::uint32_t buffer[kRandomWords];
  HWY_ALIGN double centres[kTile + kLanes];
  HWY_ALIGN double normal[kTile + kLanes];
  std::uint32_t* words = RandomElements(stream, first, n, buffer);
  // (w + 1/2) / 2^32 - 1/2, of w less 2^31 as a signed number: every step is exact.
  for (std::size_t i = 0; i < n; ++i) words[i] ^= 0x80000000u;
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const auto centred = hn::Add(FromWords<double>(words + i, 0), hn::Set(d, 0.5));
    const auto q = hn::Mul(centred, hn::Set(d, 0x1p-32));
    hn::Store(q, d, centres + i);
    hn::Store(NormalCentre(q), d, normal + i);
  }
  for (std::size_t i = 0; i < n; ++i) {
    const bool tail = std::abs(centres[i]) > kNormalCentre;
    out[i] = static_cast<T>(tail ? NormalTail(centres[i] + 0.5) : normal[i]);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace weightsmith::internal
HWY_AFTER_NAMESPACE();

#endif
