#include "merge/program/ranks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "merge/program/multiple_ranks.h"

namespace weightsmith::internal {
namespace {

/// A magnitude, as the bits of an f32, in the upper half, where it stood in the lower: no two are
/// equal, and their order is that of the ranks.
using Entry = std::uint64_t;

/// Digits of so many bits take no longer to count than as many elements to sort.
constexpr int kShortDigit = 8;
constexpr int kLongDigit = 11;
constexpr std::size_t kLong = 16384;
/// Of lines that are no longer, an index and some bits of a magnitude are one word of 32 bits.
constexpr std::size_t kMostOfWords = MultipleRanks::kMost;
/// Elements whose places are found before they are moved there: a place that is counted on waits
/// for all writes before it whose addresses are not known yet.
constexpr std::size_t kAtOnce = 256;
/// So few are sorted by insertion.
constexpr std::size_t kFew = 24;
/// Elements that insertion moves, for each there is, before the sort goes another way.
constexpr std::size_t kMoves = 8;
constexpr std::size_t kBetweenPolls = std::size_t{1} << 20;
constexpr std::uint32_t kMagnitudeBits = 0x7fffffff;

std::uint32_t MagnitudeOf(float value) {
  return std::bit_cast<std::uint32_t>(value) & kMagnitudeBits;
}

std::uint32_t MagnitudeOf(Entry entry) {
  return static_cast<std::uint32_t>(entry >> 32);
}

std::size_t IndexOf(Entry entry) {
  return static_cast<std::uint32_t>(entry);
}

/// What rank a line's element has, over the largest rank.
std::vector<float> SharesOf(std::size_t length) {
  std::vector<float> shares(length, 0.5f);
  for (std::size_t rank = 0; length > 1 && rank < length; ++rank) {
    const double most = static_cast<double>(length) - 1;
    shares[rank] = static_cast<float>(static_cast<double>(rank) / most);
  }
  return shares;
}

/// Ranks lines of one length. A radix sort of two digits by magnitudes relative to the largest one
/// leaves little to do, but for magnitudes that are much alike beside one that is not; then one of
/// all digits is behind it.
class Ranker {
 public:
  /// Of lines whose elements lie `stride` apart. REQUIRES: what is given outlives it.
  Ranker(std::size_t stride, std::span<const float> shares, const Poll& poll)
      : stride_(stride),
        shares_(shares),
        poll_(poll),
        bits_(shares.size() < kLong ? kShortDigit : kLongDigit),
        index_bits_(static_cast<int>(std::bit_width(std::max<std::size_t>(shares.size(), 2) - 1))),
        low_bits_(shares.size() < 2 * kAtOnce ? 8 : std::min(9, (33 - index_bits_) / 2)),
        high_bits_(std::min(low_bits_, 32 - index_bits_ - low_bits_)),
        line_(stride == 1 ? 0 : shares.size()),
        words_(shares.size() > kMostOfWords ? 0 : shares.size()),
        moved_(words_.size()),
        multiples_(words_.size()),
        entries_(shares.size()),
        sorted_(shares.size()),
        places_(std::size_t{1} << kLongDigit) {}

  static std::uint64_t Bytes(std::uint64_t length, std::uint64_t stride) {
    const std::uint64_t words = length > kMostOfWords ? 0 : length;
    const std::uint64_t line = stride == 1 ? 0 : sizeof(float);
    return length * (2 * sizeof(Entry) + line) + words * 2 * sizeof(std::uint32_t) +
           MultipleRanks::Bytes(words) + sizeof(std::uint32_t) * (std::uint64_t{1} << kLongDigit);
  }

  /// `out` may be the line.
  void Rank(const float* values, float* out) {
    if (stride_ == 1) return Rank(std::span(values, entries_.size()), out);
    for (std::size_t i = 0; i < line_.size(); ++i) line_[i] = values[i * stride_];
    Rank(line_, out);
  }

 private:
  void Rank(std::span<const float> line, float* out) {
    if (line.size() <= kFew) {
      if (!Insert(kFew * kFew, [&](std::size_t i) { return EntryOf(line, i); })) return;
    } else if (!words_.empty()) {
      if (RankWords(line, out)) return;
    } else {
      Fill(line);
      SortByShare(LargestOf(line));
      if (!Insert(kMoves * line.size(), [&](std::size_t i) { return entries_[i]; })) {
        Fill(line);
        SortByAllDigits();
      }
    }
    auto share = shares_.begin();
    for (const Entry entry : entries_) out[IndexOf(entry) * stride_] = *share++;
  }

  static Entry EntryOf(std::span<const float> line, std::size_t i) {
    return Entry{MagnitudeOf(line[i])} << 32 | i;
  }

  void Fill(std::span<const float> line) {
    for (std::size_t i = 0; i < line.size(); ++i) entries_[i] = EntryOf(line, i);
  }

  static float LargestOf(std::span<const float> line) {
    std::int32_t largest = 0;  // signed, which all vector units compare
    for (const float value : line) {
      largest = std::max(largest, static_cast<std::int32_t>(MagnitudeOf(value)));
    }
    return std::bit_cast<float>(largest);
  }

  /// As SortByShare, of words of a share and an index, unless most are multiples of one number.
  /// True where that gave the ranks; else entries are sorted.
  bool RankWords(std::span<const float> line, float* out) {
    const auto most = static_cast<float>((1u << (low_bits_ + high_bits_)) - 1);
    const float largest = LargestOf(line);
    if (multiples_.Rank(line, largest, shares_, stride_, out)) return true;
    const float scale = most / largest;
    if (!std::isfinite(scale) || scale == 0) {
      Fill(line);
      if (largest != 0) SortByAllDigits();
      return false;
    }
    const bool distinct = FillWords(line, scale, most);
    std::uint32_t* const low = places_.data();
    std::uint32_t* const high = low + (std::size_t{1} << low_bits_);
    const int high_shift = index_bits_ + low_bits_;
    const std::uint32_t low_mask = (1u << low_bits_) - 1;
    const std::uint32_t high_mask = (1u << high_bits_) - 1;
    std::fill(low, high + high_mask + 1, 0);
    for (const std::uint32_t word : words_) {
      ++low[word >> index_bits_ & low_mask];
      ++high[word >> high_shift & high_mask];
    }
    const auto move_to = [](std::vector<std::uint32_t>& words) {
      return [to = words.data()](std::uint32_t word, std::uint32_t place) { to[place] = word; };
    };
    ForPlaces(words_, {low, low_mask + 1}, index_bits_, move_to(moved_));
    const std::uint32_t index = (std::uint32_t{1} << index_bits_) - 1;
    if (distinct) {
      ForPlaces(moved_, {high, high_mask + 1}, high_shift,
                [&, stride = stride_, shares = shares_](std::uint32_t word, std::uint32_t place) {
                  out[(word & index) * stride] = shares[place];
                });
      return true;
    }
    ForPlaces(moved_, {high, high_mask + 1}, high_shift, move_to(words_));
    const auto entry = [&, words = words_.data()](std::size_t i) {
      return EntryOf(line, words[i] & index);
    };
    if (!Insert(kMoves * line.size(), entry)) {
      Fill(line);
      SortByAllDigits();
    }
    return false;
  }

  /// Whether different magnitudes have different shares. They have where all are multiples of what
  /// is more than one share, as differences of numbers of 16 bits often are.
  bool FillWords(std::span<const float> line, float scale, float most) {
    // Products are off by 1/64 at most.
    const float whole = std::exp2(std::floor(std::log2(scale / 1.0625f)));
    const float unit = 1 / whole;
    const int index_bits = index_bits_;
    std::uint32_t* const words = words_.data();
    std::uint32_t others = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const float magnitude = std::abs(line[i]);
      const auto multiple = static_cast<std::int32_t>(magnitude * whole);
      others |= static_cast<float>(multiple) * unit != magnitude ? 1 : 0;
      const auto scaled = static_cast<std::int32_t>(std::min(magnitude * scale, most));
      words[i] = static_cast<std::uint32_t>(scaled) << index_bits | static_cast<std::uint32_t>(i);
    }
    return others == 0;
  }

  /// Calls `use(word, place)` for each word by its digit, of which the places have the counts.
  template <class Use>
  static void ForPlaces(std::span<const std::uint32_t> words, std::span<std::uint32_t> places,
                        int shift, const Use& use) {
    std::uint32_t place = 0;
    for (std::uint32_t& count : places) place += std::exchange(count, place);
    const auto mask = static_cast<std::uint32_t>(places.size() - 1);
    std::array<std::uint32_t, kAtOnce> found;
    for (std::size_t at = 0; at < words.size(); at += kAtOnce) {
      const std::span<const std::uint32_t> some =
          words.subspan(at, std::min(kAtOnce, words.size() - at));
      for (std::size_t i = 0; i < some.size(); ++i) found[i] = places[some[i] >> shift & mask]++;
      for (std::size_t i = 0; i < some.size(); ++i) use(some[i], found[i]);
    }
  }

  /// By magnitude over the largest one, in steps of two digits.
  void SortByShare(float largest) {
    const std::uint32_t most = (std::uint32_t{1} << (2 * bits_)) - 1;
    const float scale = static_cast<float>(most) / largest;
    if (!std::isfinite(scale) || scale == 0) return;
    const auto share = [&](Entry entry) {
      const float scaled = std::bit_cast<float>(MagnitudeOf(entry)) * scale;
      return std::min(static_cast<std::uint32_t>(scaled), most);
    };
    const std::uint32_t mask = (std::uint32_t{1} << bits_) - 1;
    SortBy([&](Entry entry) { return share(entry) & mask; });
    SortBy([&](Entry entry) { return share(entry) >> bits_; });
  }

  void SortByAllDigits() {
    const std::uint32_t mask = (std::uint32_t{1} << bits_) - 1;
    for (int shift = 0; shift < 31; shift += bits_) {
      SortBy([&](Entry entry) { return MagnitudeOf(entry) >> shift & mask; });
    }
  }

  template <class Use>
  void ForEachEntry(const Use& use) {
    for (std::size_t at = 0; at < entries_.size(); at += kBetweenPolls) {
      poll_();
      const std::size_t n = std::min(kBetweenPolls, entries_.size() - at);
      for (const Entry entry : std::span(entries_).subspan(at, n)) use(entry);
    }
  }

  /// Keeps the order of what has the same digit.
  template <class DigitOf>
  void SortBy(const DigitOf& digit_of) {
    const std::span<std::uint32_t> places = std::span(places_).first(std::size_t{1} << bits_);
    std::ranges::fill(places, 0);
    ForEachEntry([&](Entry entry) { ++places_[digit_of(entry)]; });
    if (places_[digit_of(entries_.front())] == entries_.size()) return;
    std::uint32_t place = 0;
    for (std::uint32_t& count : places) place += std::exchange(count, place);
    ForEachEntry([&](Entry entry) { sorted_[places_[digit_of(entry)]++] = entry; });
    entries_.swap(sorted_);
  }

  /// Of entries that are nearly in order; false where it took more than so many moves, and was
  /// given up.
  template <class EntryAt>
  bool Insert(std::size_t moves, const EntryAt& entry_at) {
    Entry* const entries = entries_.data();
    Entry last = 0;
    for (std::size_t first = 0; first < entries_.size(); first += kBetweenPolls) {
      poll_();
      const std::size_t end = std::min(first + kBetweenPolls, entries_.size());
      for (std::size_t i = first; i < end; ++i) {
        const Entry entry = entry_at(i);
        if (entry >= last) {
          entries[i] = last = entry;
          continue;
        }
        std::size_t at = i;
        for (; at > 0 && entry < entries[at - 1]; --at) entries[at] = entries[at - 1];
        entries[at] = entry;
        if (i - at > moves) return false;
        moves -= i - at;
      }
    }
    return true;
  }

  std::size_t stride_;
  std::span<const float> shares_;
  const Poll& poll_;
  int bits_;
  // Of words.
  int index_bits_;
  int low_bits_;
  int high_bits_;
  std::vector<float> line_;  ///< where its elements lie apart
  std::vector<std::uint32_t> words_;
  std::vector<std::uint32_t> moved_;
  MultipleRanks multiples_;
  std::vector<Entry> entries_;
  std::vector<Entry> sorted_;
  std::vector<std::uint32_t> places_;
};

/// Elements that are ranked among each other, and how far apart they lie.
struct Lines {
  std::size_t length = 0;
  std::size_t stride = 1;
};

Lines LinesOf(const Shape& shape, RankedIn in) {
  const auto elements = static_cast<std::size_t>(ElementCount(shape).value_or(0));
  if (in == RankedIn::kTensor || shape.size() < 2 || elements == 0) return {elements, 1};
  const std::size_t row = elements / shape[0];
  if (in == RankedIn::kRow) return {row, 1};
  return {static_cast<std::size_t>(shape[1]), row / static_cast<std::size_t>(shape[1])};
}

/// Lines that are too long take so much memory while they are sorted that one is at a time.
bool InParts(std::size_t length) {
  return length <= std::size_t{1} << 18;
}

/// Ranks lines from `first` to `end`, as they follow each other.
void RankThose(const Lines& lines, std::size_t first, std::size_t end, Ranker& ranker,
               const float* in, float* out) {
  for (std::size_t i = first; i < end; ++i) {
    const std::size_t line = i / lines.stride * lines.length * lines.stride + i % lines.stride;
    ranker.Rank(in + line, out + line);
  }
}

void RankLines(TensorInputs in, const Shape& shape, const RankParameters& ranked,
               std::span<float> out, const Poll& poll, Told /*told*/) {
  constexpr std::size_t kElementsOfPart = std::size_t{1} << 18;
  if (out.empty()) return;
  const Lines lines = LinesOf(shape, ranked.in);
  const std::vector<float> shares = SharesOf(lines.length);
  const std::size_t count = out.size() / lines.length;
  const std::size_t at_once =
      InParts(lines.length) ? std::max<std::size_t>(1, kElementsOfPart / lines.length) : count;
  poll.ForEach((count + at_once - 1) / at_once, [&](std::size_t part) {
    Ranker ranker(lines.stride, shares, poll);
    RankThose(lines, part * at_once, std::min(count, (part + 1) * at_once), ranker, in[0].data(),
              out.data());
  });
}

/// Lines that lie in rows.
class RankedRows final : public RowFunction {
 public:
  explicit RankedRows(const Lines& lines)
      : lines_(lines), shares_(SharesOf(lines.length)), ranker_(lines.stride, shares_, poll_) {}

  void Compute(std::span<float> rows) override {
    RankThose(lines_, 0, rows.size() / lines_.length, ranker_, rows.data(), rows.data());
  }

 private:
  Poll poll_ = [] {};  // a row takes no longer than from one poll to the next
  Lines lines_;
  std::vector<float> shares_;
  Ranker ranker_;
};

ByRow RankByRow(const Shape& shape, const RankParameters& ranked) {
  if (ranked.in == RankedIn::kTensor) return {};
  const std::uint64_t elements = ElementCount(shape).value_or(0);
  if (elements == 0) return {};
  const Lines lines = LinesOf(shape, ranked.in);
  return {.elements = shape.size() < 2 ? elements : elements / shape[0],
          .bytes = Ranker::Bytes(lines.length, lines.stride) + lines.length * sizeof(float)};
}

std::unique_ptr<RowFunction> RankRows(const Shape& shape, const RankParameters& ranked) {
  return std::make_unique<RankedRows>(LinesOf(shape, ranked.in));
}

std::uint64_t RankBytes(const Shape& shape, std::size_t /*inputs*/, const RankParameters& ranked) {
  const Lines lines = LinesOf(shape, ranked.in);
  return (InParts(lines.length) ? 0 : Ranker::Bytes(lines.length, lines.stride)) +
         lines.length * sizeof(float);
}

std::uint64_t RankBytesOfPart(const Shape& shape, std::size_t /*inputs*/,
                              const RankParameters& ranked) {
  const Lines lines = LinesOf(shape, ranked.in);
  return InParts(lines.length) ? Ranker::Bytes(lines.length, lines.stride) : 0;
}

}  // namespace

const TensorFunction<RankParameters>& Ranks() {
  static constexpr TensorFunction<RankParameters> function{.name = "ranks",
                                                           .compute = RankLines,
                                                           .bytes = RankBytes,
                                                           .bytes_of_part = RankBytesOfPart,
                                                           .by_row = RankByRow,
                                                           .rows = RankRows};
  return function;
}

}  // namespace weightsmith::internal
