#include "merge/program/selection.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "merge/program/nth_largest.h"
#include "merge/program/tape.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "merge/program/selection.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "merge/program/selection-inl.h"

#if HWY_ONCE
namespace weightsmith::internal {
namespace {

HWY_EXPORT(SplitByMagnitude);

constexpr std::size_t kCounters = std::size_t{1} << 19;
constexpr std::size_t kListed = std::size_t{1} << 19;
static_assert(Selection::kBytes ==
              kCounters * sizeof(std::uint64_t) + kListed * sizeof(std::uint32_t));
constexpr std::uint32_t kMagnitude = 0x7fffffff;
/// Behind infinity: a NaN is above every band.
constexpr std::uint32_t kEnd = 0x7f800001;
/// How far the band reaches to either side, in standard deviations of what the sample says. A miss
/// costs a pass.
constexpr double kDeviations = 3;

std::uint64_t Share(double fraction, std::uint64_t of) {
  return std::min(of, static_cast<std::uint64_t>(fraction * static_cast<double>(of)));
}

/// Counted from the largest, which is 1; 0 for none. REQUIRES: n > 0, no kNotZero.
std::uint64_t PlaceOf(const Rank& rank, std::uint64_t n) {
  const std::uint64_t kept = Share(rank.fraction, n);
  const std::uint64_t left_out = std::min(Share(rank.second, n), n - kept);
  switch (rank.rule) {
    case Rank::Rule::kLargest:
    case Rank::Rule::kNotZero:
      return kept;
    case Rank::Rule::kSmallest:
      return n + 1 - std::max<std::uint64_t>(kept, 1);
    case Rank::Rule::kBehind:
      return n - std::min(kept, n - 1);
    case Rank::Rule::kQuantile:
      return n - Share(rank.fraction, n - 1);
    case Rank::Rule::kLowerEnd:
      return kept == 0 ? 0 : left_out + kept;
    case Rank::Rule::kUpperEnd:
      return kept == 0 ? 0 : left_out + 1;
  }
  return 0;
}

bool IsLowerLimit(Rank::Rule rule) {
  return rule == Rank::Rule::kLargest || rule == Rank::Rule::kLowerEnd;
}

}  // namespace

Selection::Selection(const Rank& rank, std::uint64_t elements) : elements_(elements) {
  if (elements > 0) rank_ = PlaceOf(rank, elements);
  if (rank_ == 0) {
    KnowNone();
  } else if (rank.rule == Rank::Rule::kNotZero) {
    open_ = rank.fraction;
  } else if (rank_ >= elements_ && IsLowerLimit(rank.rule)) {
    known_ = true;
  }
}

void Selection::KnowNone() {
  known_ = true;
  value_ = std::numeric_limits<float>::quiet_NaN();
  list_ = nullptr;
  counters_ = nullptr;
}

void Selection::CountZeros(std::span<const float> values) {
  std::uint64_t zeros = 0;
  for (const float value : values) zeros += value == 0 ? 1 : 0;
  zeros_.fetch_add(zeros, std::memory_order_relaxed);
}

void Selection::SetBand(std::uint32_t low, std::uint32_t high) {
  low_ = low;
  high_ = high;
  shift_ = 0;
  while (CounterOf(high_ - 1) >= kCounters) ++shift_;
  above_ = 0;
  inside_ = 0;
  if (list_ == nullptr) list_ = std::make_unique_for_overwrite<std::uint32_t[]>(kListed);
  if (counters_ == nullptr) return;
  for (std::size_t i = 0; i < kCounters; ++i) counters_[i].store(0, std::memory_order_relaxed);
}

void Selection::Know(std::uint32_t bits) {
  known_ = true;
  value_ = std::bit_cast<float>(bits);
  list_ = nullptr;
  counters_ = nullptr;
}

/// Of kNotZero, by the zeros of the sample.
void Selection::GuessRank(std::span<const float> sample) {
  if (known_ || !open_) return;
  const auto zeros = static_cast<std::uint64_t>(std::ranges::count(sample, 0.0f));
  const double share =
      static_cast<double>(sample.size() - zeros) / static_cast<double>(sample.size());
  rank_ = static_cast<std::uint64_t>(*open_ * (share * static_cast<double>(elements_)));
  if (sample.size() != elements_) return;
  rank_ = Share(*open_, elements_ - zeros);
  if (rank_ == 0) KnowNone();
}

Selection::Places Selection::PlacesIn(std::size_t sample) const {
  if (sample == elements_) return {.upper = rank_ - 1, .lower = rank_ - 1};
  const auto count = static_cast<double>(sample);
  const double share = static_cast<double>(rank_) / static_cast<double>(elements_);
  const double place = share * count;
  const double margin = kDeviations * std::sqrt(count * share * (1 - share)) + 2;
  const bool to_end = place < margin;
  const bool from_zero = place + margin >= count;
  return {to_end, from_zero, to_end ? 0 : static_cast<std::size_t>(place - margin),
          from_zero ? 0 : static_cast<std::size_t>(place + margin)};
}

void Selection::SetBand(const Places& places, std::uint32_t upper, std::uint32_t lower) {
  const std::uint32_t high = places.to_end ? kEnd : std::min(upper + 1, kEnd);
  const std::uint32_t low = places.from_zero ? 0 : lower;
  SetBand(low < high ? low : 0, low < high ? high : kEnd);
}

void Selection::ProposeAll(std::span<Selection* const> selections, std::span<const float> sample) {
  std::vector<Selection*> wanted;
  std::vector<Places> ends;
  std::vector<std::size_t> places;
  for (Selection* selection : selections) {
    if (!sample.empty()) selection->GuessRank(sample);
    if (selection->known_) continue;
    if (sample.empty()) {
      selection->SetBand(0, kEnd);
      continue;
    }
    wanted.push_back(selection);
    ends.push_back(selection->PlacesIn(sample.size()));
    places.insert(places.end(), {ends.back().upper, ends.back().lower});
  }
  if (wanted.empty()) return;
  std::vector<std::uint32_t> bits(sample.size());
  std::ranges::transform(sample, bits.begin(), [](float value) {
    return std::bit_cast<std::uint32_t>(value) & kMagnitude;
  });
  std::vector<std::uint32_t> found(places.size());
  NthLargest(bits, places, found);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (sample.size() == wanted[i]->elements_) {
      wanted[i]->Know(std::min(found[2 * i], kEnd - 1));
    } else {
      wanted[i]->SetBand(ends[i], found[2 * i], found[2 * i + 1]);
    }
  }
}

void Selection::Count(std::span<const float> values) {
  if (known_) return;
  if (open_) CountZeros(values);
  // More than a tile: what stands behind the last one taken is stored as well.
  std::uint32_t band[kTile + 64];
  for (std::size_t at = 0; at < values.size(); at += kTile) {
    const std::span<const float> tile = values.subspan(at, std::min(kTile, values.size() - at));
    std::size_t inside = 0;
    const std::size_t above = HWY_DYNAMIC_DISPATCH(SplitByMagnitude)(tile.data(), tile.size(), low_,
                                                                     high_, band, &inside);
    above_.fetch_add(above, std::memory_order_relaxed);
    if (inside == 0) continue;
    const std::uint64_t place = inside_.fetch_add(inside, std::memory_order_relaxed);
    const std::size_t room = place < kListed ? std::min<std::size_t>(inside, kListed - place) : 0;
    std::copy_n(band, room, list_.get() + std::min<std::uint64_t>(place, kListed));
    if (room < inside) CountByValue(std::span(band).first(inside).subspan(room));
  }
}

void Selection::CountByValue(std::span<const std::uint32_t> inside) {
  std::call_once(counters_made_,
                 [&] { counters_ = std::make_unique<std::atomic<std::uint64_t>[]>(kCounters); });
  for (const std::uint32_t bits : inside) {
    counters_[CounterOf(bits)].fetch_add(1, std::memory_order_relaxed);
  }
}

void Selection::EndPass() {
  if (known_) return;
  if (open_) {
    rank_ = Share(*open_, elements_ - zeros_.load(std::memory_order_relaxed));
    open_.reset();
    if (rank_ == 0) return KnowNone();
  }
  std::uint64_t seen = above_.load(std::memory_order_relaxed);
  const std::uint64_t inside = inside_.load(std::memory_order_relaxed);
  if (seen >= rank_) {
    // Of a band that ends behind infinity only a NaN lies above.
    if (high_ >= kEnd) return Know(kEnd - 1);
    return SetBand(high_, kEnd);
  }
  if (seen + inside < rank_) return SetBand(0, low_);
  const std::span<std::uint32_t> listed =
      std::span(list_.get(), std::min<std::uint64_t>(inside, kListed));
  if (inside <= kListed) {
    const std::size_t place[] = {rank_ - seen - 1};
    std::uint32_t found[1];
    NthLargest(listed, place, found);
    return Know(found[0]);
  }
  CountByValue(listed);
  std::size_t counter = CounterOf(high_ - 1) + 1;
  while (seen < rank_) seen += counters_[--counter].load(std::memory_order_relaxed);
  const std::uint32_t first = low_ + (static_cast<std::uint32_t>(counter) << shift_);
  if (shift_ == 0) return Know(first);
  SetBand(first, std::min(first + (std::uint32_t{1} << shift_), high_));
}

std::uint64_t SampleSize(std::uint64_t elements) {
  constexpr std::uint64_t kLeast = std::uint64_t{1} << 14;
  constexpr std::uint64_t kMost = std::uint64_t{1} << 18;
  return std::min(elements, std::clamp(elements / 64, kLeast, kMost));
}

}  // namespace weightsmith::internal
#endif  // HWY_ONCE
