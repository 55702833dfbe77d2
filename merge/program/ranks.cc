#include "merge/program/ranks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

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
constexpr std::size_t kMostOfWords = std::size_t{1} << 16;
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

/// Sorts lines of one length. A radix sort of two digits by magnitudes relative to the largest one
/// leaves little to do, but for magnitudes that are much alike beside one that is not; then one of
/// all digits is behind it.
class Sorter {
 public:
  /// REQUIRES: `poll` outlives it.
  Sorter(std::size_t length, const Poll& poll)
      : poll_(poll),
        bits_(length < kLong ? kShortDigit : kLongDigit),
        index_bits_(static_cast<int>(std::bit_width(std::max<std::size_t>(length, 2) - 1))),
        low_bits_(length < 2 * kAtOnce ? 8 : std::min(9, (33 - index_bits_) / 2)),
        high_bits_(std::min(low_bits_, 32 - index_bits_ - low_bits_)),
        entries_(length),
        sorted_(length),
        places_(std::size_t{1} << kLongDigit) {
    if (length > kMostOfWords) return;
    words_.resize(length);
    moved_.resize(length);
  }

  static std::uint64_t Bytes(std::uint64_t length, std::uint64_t stride) {
    const std::uint64_t words = length > kMostOfWords ? 0 : 2 * sizeof(std::uint32_t);
    const std::uint64_t line = stride == 1 ? 0 : sizeof(float);
    return length * (2 * sizeof(Entry) + words + line) +
           sizeof(std::uint32_t) * (std::uint64_t{1} << kLongDigit);
  }

  /// The entries of values that lie `stride` apart, sorted.
  std::span<const Entry> Sort(const float* values, std::size_t stride) {
    if (stride == 1) return Sort(std::span(values, entries_.size()));
    line_.resize(entries_.size());
    for (std::size_t i = 0; i < line_.size(); ++i) line_[i] = values[i * stride];
    return Sort(line_);
  }

 private:
  std::span<const Entry> Sort(std::span<const float> line) {
    const auto entry = [&](std::size_t i) { return Entry{MagnitudeOf(line[i])} << 32 | i; };
    const auto fill = [&] {
      for (std::size_t i = 0; i < line.size(); ++i) entries_[i] = entry(i);
    };
    bool sorted = false;
    if (line.size() <= kFew) {
      sorted = Insert(kFew * kFew, entry);
    } else if (words_.empty()) {
      fill();
      SortByShare(std::bit_cast<float>(LargestOf(line)));
      sorted = Insert(kMoves * line.size(), [&](std::size_t i) { return entries_[i]; });
    } else if (SortWords(line)) {
      const std::uint32_t* const words = words_.data();
      const std::uint32_t index = (std::uint32_t{1} << index_bits_) - 1;
      sorted = Insert(kMoves * line.size(),
                      [&, words](std::size_t i) { return entry(words[i] & index); });
    }
    if (sorted) return entries_;
    fill();
    SortByAllDigits();
    return entries_;
  }

  static std::uint32_t LargestOf(std::span<const float> line) {
    std::uint32_t largest = 0;
    for (const float value : line) largest = std::max(largest, MagnitudeOf(value));
    return largest;
  }

  /// As SortByShare, of words of a share and an index; false where magnitudes have no shares.
  bool SortWords(std::span<const float> line) {
    const auto most = static_cast<std::int32_t>((1u << (low_bits_ + high_bits_)) - 1);
    const float scale = static_cast<float>(most) / std::bit_cast<float>(LargestOf(line));
    if (!std::isfinite(scale) || scale == 0) return false;
    const std::span<std::uint32_t> words = words_;
    const int index_bits = index_bits_;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const auto scaled = std::min(static_cast<std::int32_t>(std::abs(line[i]) * scale), most);
      words[i] = static_cast<std::uint32_t>(scaled) << index_bits | static_cast<std::uint32_t>(i);
    }
    std::uint32_t* const low = places_.data();
    std::uint32_t* const high = low + (std::size_t{1} << low_bits_);
    const int low_shift = index_bits_;
    const int high_shift = index_bits_ + low_bits_;
    const std::uint32_t low_mask = (1u << low_bits_) - 1;
    const std::uint32_t high_mask = (1u << high_bits_) - 1;
    std::fill(low, high + high_mask + 1, 0);
    for (const std::uint32_t word : words) {
      ++low[word >> low_shift & low_mask];
      ++high[word >> high_shift & high_mask];
    }
    MoveWords(words, moved_, {low, low_mask + 1}, low_shift);
    MoveWords(moved_, words, {high, high_mask + 1}, high_shift);
    return true;
  }

  /// By a digit, of which the places have the counts.
  static void MoveWords(std::span<const std::uint32_t> from, std::span<std::uint32_t> to,
                        std::span<std::uint32_t> places, int shift) {
    std::uint32_t place = 0;
    for (std::uint32_t& count : places) place += std::exchange(count, place);
    const auto mask = static_cast<std::uint32_t>(places.size() - 1);
    std::array<std::uint32_t, kAtOnce> found;
    for (std::size_t at = 0; at < from.size(); at += kAtOnce) {
      const std::span<const std::uint32_t> some =
          from.subspan(at, std::min(kAtOnce, from.size() - at));
      for (std::size_t i = 0; i < some.size(); ++i) found[i] = places[some[i] >> shift & mask]++;
      for (std::size_t i = 0; i < some.size(); ++i) to[found[i]] = some[i];
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

  const Poll& poll_;
  int bits_;
  // Of words.
  int index_bits_;
  int low_bits_;
  int high_bits_;
  std::vector<float> line_;  ///< where its elements lie apart
  std::vector<std::uint32_t> words_;
  std::vector<std::uint32_t> moved_;
  std::vector<Entry> entries_;
  std::vector<Entry> sorted_;
  std::vector<std::uint32_t> places_;
};

std::size_t IndexOf(Entry entry) {
  return static_cast<std::uint32_t>(entry);
}

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

/// What rank a line's element has, over the largest rank.
std::vector<float> SharesOf(std::size_t length) {
  std::vector<float> shares(length, 0.5f);
  for (std::size_t rank = 0; length > 1 && rank < length; ++rank) {
    const double most = static_cast<double>(length) - 1;
    shares[rank] = static_cast<float>(static_cast<double>(rank) / most);
  }
  return shares;
}

/// Ranks lines whose elements lie `stride` apart, `first` to `end`, as they follow each other.
void RankThose(const Lines& lines, std::size_t first, std::size_t end,
               std::span<const float> shares, Sorter& sorter, const float* in, float* out) {
  for (std::size_t i = first; i < end; ++i) {
    const std::size_t line = i / lines.stride * lines.length * lines.stride + i % lines.stride;
    auto share = shares.begin();
    for (const Entry entry : sorter.Sort(in + line, lines.stride)) {
      out[line + IndexOf(entry) * lines.stride] = *share++;
    }
  }
}

void RankLines(std::span<const std::span<const float>> in, const Shape& shape,
               std::span<const double> numbers, std::span<float> out, const Poll& poll,
               Told /*told*/) {
  constexpr std::size_t kElementsOfPart = std::size_t{1} << 18;
  if (out.empty()) return;
  const Lines lines = LinesOf(shape, static_cast<RankedIn>(numbers[0]));
  const std::vector<float> shares = SharesOf(lines.length);
  const std::size_t count = out.size() / lines.length;
  const std::size_t at_once =
      InParts(lines.length) ? std::max<std::size_t>(1, kElementsOfPart / lines.length) : count;
  poll.ForEach((count + at_once - 1) / at_once, [&](std::size_t part) {
    Sorter sorter(lines.length, poll);
    RankThose(lines, part * at_once, std::min(count, (part + 1) * at_once), shares, sorter,
              in[0].data(), out.data());
  });
}

/// Lines that lie in rows.
class RankedRows final : public RowFunction {
 public:
  explicit RankedRows(const Lines& lines)
      : lines_(lines), shares_(SharesOf(lines.length)), sorter_(lines.length, poll_) {}

  void Compute(std::span<float> rows) override {
    RankThose(lines_, 0, rows.size() / lines_.length, shares_, sorter_, rows.data(), rows.data());
  }

 private:
  Poll poll_ = [] {};  // a row takes no longer than from one poll to the next
  Lines lines_;
  std::vector<float> shares_;
  Sorter sorter_;
};

ByRow RankByRow(const Shape& shape, std::span<const double> numbers) {
  const auto in = static_cast<RankedIn>(numbers[0]);
  if (in == RankedIn::kTensor) return {};
  const std::uint64_t elements = ElementCount(shape).value_or(0);
  if (elements == 0) return {};
  const Lines lines = LinesOf(shape, in);
  return {.elements = shape.size() < 2 ? elements : elements / shape[0],
          .bytes = Sorter::Bytes(lines.length, lines.stride) + lines.length * sizeof(float)};
}

std::unique_ptr<RowFunction> RankRows(const Shape& shape, std::span<const double> numbers) {
  return std::make_unique<RankedRows>(LinesOf(shape, static_cast<RankedIn>(numbers[0])));
}

std::uint64_t RankBytes(const Shape& shape, std::size_t /*inputs*/,
                        std::span<const double> numbers) {
  const Lines lines = LinesOf(shape, static_cast<RankedIn>(numbers[0]));
  return (InParts(lines.length) ? 0 : Sorter::Bytes(lines.length, lines.stride)) +
         lines.length * sizeof(float);
}

std::uint64_t RankBytesOfPart(const Shape& shape, std::size_t /*inputs*/,
                              std::span<const double> numbers) {
  const Lines lines = LinesOf(shape, static_cast<RankedIn>(numbers[0]));
  return InParts(lines.length) ? Sorter::Bytes(lines.length, lines.stride) : 0;
}

}  // namespace

const TensorFunction& Ranks() {
  static constexpr TensorFunction function{.name = "ranks",
                                           .compute = RankLines,
                                           .bytes = RankBytes,
                                           .bytes_of_part = RankBytesOfPart,
                                           .by_row = RankByRow,
                                           .rows = RankRows};
  return function;
}

}  // namespace weightsmith::internal
