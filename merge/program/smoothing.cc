#include "merge/program/smoothing.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "core/base/elementary.h"
#include "merge/program/change.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kRadius = 4;
/// Elements that a thread computes at a time.
constexpr std::size_t kElementsOfPart = 1 << 14;

/// An integer whose order is that of the floats, so that NaN has a place in it too.
std::int32_t RankOf(float value) {
  const auto bits = std::bit_cast<std::int32_t>(value);
  return bits ^ ((bits >> 31) & 0x7fffffff);
}

float OfRank(std::int32_t rank) {
  return std::bit_cast<float>(rank ^ ((rank >> 31) & 0x7fffffff));
}

/// The place that one outside of 0..size-1 mirrors.
std::size_t Mirrored(std::ptrdiff_t place, std::size_t size) {
  const auto period = static_cast<std::ptrdiff_t>(2 * size);
  place = ((place % period) + period) % period;
  return static_cast<std::size_t>(place < static_cast<std::ptrdiff_t>(size) ? place
                                                                            : period - 1 - place);
}

/// The median of 3^rank values around each element.
class MedianFilter {
 public:
  explicit MedianFilter(const Shape& shape) : shape_(shape), at_(shape.size()) {
    std::size_t stride = 1;
    strides_.resize(shape.size());
    for (std::size_t d = shape.size(); d-- > 0;) {
      strides_[d] = stride;
      stride *= shape[d];
    }
  }

  /// Of `count` elements from `first` on.
  void Run(std::span<const float> in, std::size_t first, std::size_t count, std::span<float> out) {
    for (std::size_t d = 0; d < shape_.size(); ++d) at_[d] = first / strides_[d] % shape_[d];
    for (std::size_t i = first; i < first + count; ++i) {
      Gather(in);
      const auto middle = around_.begin() + static_cast<std::ptrdiff_t>(around_.size() / 2);
      std::nth_element(around_.begin(), middle, around_.end());
      out[i] = OfRank(*middle);
      Next();
    }
  }

 private:
  /// What is around the element at hand, by dimension: three times as many places in each.
  void Gather(std::span<const float> in) {
    places_.assign(1, 0);
    for (std::size_t d = 0; d < shape_.size(); ++d) {
      const std::size_t known = places_.size();
      const auto at = static_cast<std::ptrdiff_t>(at_[d]);
      const std::size_t before = Mirrored(at - 1, shape_[d]) * strides_[d];
      const std::size_t behind = Mirrored(at + 1, shape_[d]) * strides_[d];
      places_.resize(3 * known);
      for (std::size_t k = 0; k < known; ++k) {
        const std::size_t place = places_[k];
        places_[k] = place + before;
        places_[known + k] = place + at_[d] * strides_[d];
        places_[2 * known + k] = place + behind;
      }
    }
    around_.resize(places_.size());
    for (std::size_t k = 0; k < places_.size(); ++k) around_[k] = RankOf(in[places_[k]]);
  }

  void Next() {
    for (std::size_t d = shape_.size(); d-- > 0;) {
      if (++at_[d] < shape_[d]) return;
      at_[d] = 0;
    }
  }

  const Shape& shape_;
  std::vector<std::size_t> strides_;
  std::vector<std::size_t> at_;
  std::vector<std::size_t> places_;
  std::vector<std::int32_t> around_;
};

/// e^(-x²/2) for x from 0, over their sum on both sides.
std::array<double, kRadius + 1> GaussianWeights() {
  std::array<double, kRadius + 1> weights{};
  double sum = 0;
  for (std::size_t x = 0; x <= kRadius; ++x) {
    weights[x] = Exponential(-0.5 * static_cast<double>(x * x));
    sum += x == 0 ? weights[x] : 2 * weights[x];
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

void GaussianAlong(std::size_t dimension, const Shape& shape, std::span<float> values,
                   const Poll& poll) {
  const std::array<double, kRadius + 1> weights = GaussianWeights();
  const std::size_t size = shape[dimension];
  std::size_t stride = 1;
  for (std::size_t d = dimension + 1; d < shape.size(); ++d) stride *= shape[d];
  const std::size_t lines = values.size() / size;
  const std::size_t at_once = std::max<std::size_t>(1, kElementsOfPart / size);
  poll.ForEach((lines + at_once - 1) / at_once, [&](std::size_t part) {
    std::vector<double> line(size + 2 * kRadius);
    for (std::size_t l = part * at_once; l < std::min(lines, (part + 1) * at_once); ++l) {
      const std::size_t first = l / stride * size * stride + l % stride;
      for (std::size_t i = 0; i < line.size(); ++i) {
        const std::size_t place =
            Mirrored(static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(kRadius), size);
        line[i] = static_cast<double>(values[first + place * stride]);
      }
      for (std::size_t i = 0; i < size; ++i) {
        const double* const middle = line.data() + i + kRadius;
        double sum = *middle * weights[0];
        for (std::size_t x = kRadius; x > 0; --x) {
          sum += (*(middle - x) + *(middle + x)) * weights[x];
        }
        values[first + i * stride] = static_cast<float>(sum);
      }
    }
  });
}

void MedianOfAll(std::span<const float> in, const Shape& shape, std::span<float> out,
                 const Poll& poll) {
  poll.ForEach((out.size() + kElementsOfPart - 1) / kElementsOfPart, [&](std::size_t part) {
    const std::size_t first = part * kElementsOfPart;
    MedianFilter(shape).Run(in, first, std::min(kElementsOfPart, out.size() - first), out);
  });
}

void SmoothAll(TensorInputs in, const Shape& shape, const Smoothing& smoothing,
               std::span<float> out, const Poll& poll, Told told) {
  if (out.empty()) return;
  if (smoothing.median) {
    MedianOfAll(in[0], shape, out, poll);
  } else {
    std::ranges::copy(in[0], out.begin());
  }
  for (std::size_t d = 0; smoothing.gaussian && d < shape.size(); ++d) {
    GaussianAlong(d, shape, out, poll);
  }
  if (told.Wants(0)) told.Say(0, EnergyLeft(in[0], out, poll));
}

std::uint64_t SmoothBytesOfPart(const Shape& shape, std::size_t /*inputs*/,
                                const Smoothing& /*smoothing*/) {
  std::uint64_t around = 1;
  std::uint64_t longest = 0;
  for (const std::uint64_t size : shape) {
    around *= 3;
    longest = std::max(longest, size);
  }
  return around * (sizeof(std::size_t) + sizeof(std::int32_t)) * 2 +
         (longest + 2 * kRadius) * sizeof(double);
}

}  // namespace

const TensorFunction<Smoothing>& Smooth() {
  static constexpr TensorFunction<Smoothing> function{
      .name = "smooth", .compute = SmoothAll, .bytes_of_part = SmoothBytesOfPart};
  return function;
}

}  // namespace weightsmith::internal
