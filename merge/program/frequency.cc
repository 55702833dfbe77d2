#include "merge/program/frequency.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "core/base/elementary.h"
#include "core/base/fourier.h"
#include "merge/program/change.h"

namespace weightsmith::internal {
namespace {

/// Lines along one dimension that are transformed at once: as many as fit into the cache.
class Panel {
 public:
  explicit Panel(std::size_t size)
      : fourier_(size), width_(std::clamp<std::size_t>(kElements / size, 1, kMostLines)) {
    re_.resize(size * width_);
    im_.resize(size * width_);
  }

  /// Of its lines, and what Fourier needs for more than one.
  static std::uint64_t Bytes(std::uint64_t size) {
    return 2 * 2 * sizeof(double) * std::max<std::uint64_t>(size, kElements);
  }

  std::size_t size() const { return fourier_.size(); }
  std::size_t width() const { return width_; }
  double& re(std::size_t element, std::size_t line) { return re_[element * lines_ + line]; }
  double& im(std::size_t element, std::size_t line) { return im_[element * lines_ + line]; }

  /// What re() and im() speak of from here on: `lines` lines, at most width().
  void Begin(std::size_t lines) { lines_ = lines; }

  void Transform(bool inverse) {
    const std::size_t elements = fourier_.size() * lines_;
    const std::span<double> re = std::span(re_).first(elements);
    const std::span<double> im = std::span(im_).first(elements);
    inverse ? fourier_.Inverse(re, im, lines_) : fourier_.Forward(re, im, lines_);
  }

 private:
  static constexpr std::size_t kElements = 1 << 15;
  static constexpr std::size_t kMostLines = 16;

  Fourier fourier_;
  std::size_t width_;
  std::size_t lines_ = 0;
  std::vector<double> re_;
  std::vector<double> im_;
};

/// The spectrum of a real tensor: along the last dimension the half that says all of it.
class Spectrum {
 public:
  /// REQUIRES: `poll` outlives it.
  Spectrum(std::span<const float> values, const Shape& shape, const Poll& poll)
      : poll_(poll), sizes_(shape), last_(sizes_.back()), half_(last_ / 2 + 1) {
    const std::size_t rows = values.size() / last_;
    re_.resize(rows * half_);
    im_.resize(rows * half_);
    EachPanelOfRows([&](Panel& panel, std::size_t first, std::size_t lines) {
      for (std::size_t line = 0; line < lines; ++line) {
        const float* const row = values.data() + (first + line) * last_;
        for (std::size_t i = 0; i < last_; ++i) {
          panel.re(i, line) = row[i];
          panel.im(i, line) = 0;
        }
      }
      panel.Transform(/*inverse=*/false);
      for (std::size_t line = 0; line < lines; ++line) {
        const std::size_t at = (first + line) * half_;
        for (std::size_t i = 0; i < half_; ++i) {
          re_[at + i] = panel.re(i, line);
          im_[at + i] = panel.im(i, line);
        }
      }
    });
    for (std::size_t d = sizes_.size() - 1; d-- > 0;) TransformAlong(d, /*inverse=*/false);
  }

  /// Sizes of the bins: those of the tensor, the last one halved.
  Shape sizes() const {
    Shape sizes = sizes_;
    sizes.back() = half_;
    return sizes;
  }

  void Scale(std::size_t bin, double factor) {
    re_[bin] *= factor;
    im_[bin] *= factor;
  }

  void Restore(std::span<float> values) {
    for (std::size_t d = 0; d + 1 < sizes_.size(); ++d) TransformAlong(d, /*inverse=*/true);
    EachPanelOfRows([&](Panel& panel, std::size_t first, std::size_t lines) {
      for (std::size_t line = 0; line < lines; ++line) {
        const std::size_t at = (first + line) * half_;
        for (std::size_t i = 0; i < last_; ++i) {
          const bool mirrored = i >= half_;
          const std::size_t bin = at + (mirrored ? last_ - i : i);
          panel.re(i, line) = re_[bin];
          panel.im(i, line) = mirrored ? -im_[bin] : im_[bin];
        }
      }
      panel.Transform(/*inverse=*/true);
      for (std::size_t line = 0; line < lines; ++line) {
        float* const row = values.data() + (first + line) * last_;
        for (std::size_t i = 0; i < last_; ++i) row[i] = static_cast<float>(panel.re(i, line));
      }
    });
  }

 private:
  template <class Use>
  void EachPanelOfRows(const Use& use) {
    const std::size_t rows = re_.size() / half_;
    Panel panel(last_);
    for (std::size_t first = 0; first < rows; first += panel.width()) {
      poll_();
      const std::size_t lines = std::min(panel.width(), rows - first);
      panel.Begin(lines);
      use(panel, first, lines);
    }
  }

  void TransformAlong(std::size_t dimension, bool inverse) {
    const std::size_t size = sizes_[dimension];
    if (size == 1) return;
    std::size_t stride = half_;
    for (std::size_t d = dimension + 1; d + 1 < sizes_.size(); ++d) stride *= sizes_[d];
    Panel panel(size);
    for (std::size_t block = 0; block < re_.size(); block += size * stride) {
      for (std::size_t first = 0; first < stride; first += panel.width()) {
        poll_();
        const std::size_t lines = std::min(panel.width(), stride - first);
        panel.Begin(lines);
        Exchange(panel, block + first, stride, lines, /*load=*/true);
        panel.Transform(inverse);
        Exchange(panel, block + first, stride, lines, /*load=*/false);
      }
    }
  }

  void Exchange(Panel& panel, std::size_t from, std::size_t stride, std::size_t lines, bool load) {
    const std::size_t size = panel.size();
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t line = 0; line < lines; ++line) {
        const std::size_t at = from + i * stride + line;
        if (load) {
          panel.re(i, line) = re_[at];
          panel.im(i, line) = im_[at];
        } else {
          re_[at] = panel.re(i, line);
          im_[at] = panel.im(i, line);
        }
      }
    }
  }

  const Poll& poll_;
  Shape sizes_;
  std::size_t last_;
  std::size_t half_;
  std::vector<double> re_;
  std::vector<double> im_;
};

/// The share of the highest frequency that each bin of a dimension has.
std::vector<double> Axis(std::size_t size, bool last) {
  std::vector<double> share(size, 0.0);
  if (size == 1) return share;
  if (last) {
    for (std::size_t i = 0; i < size; ++i) {
      share[i] = static_cast<double>(i) / static_cast<double>(size - 1);
    }
    return share;
  }
  const std::size_t half = size / 2;
  const std::size_t rising = size - half;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t distance = i < rising ? i : size - i;
    share[i] = static_cast<double>(distance) / static_cast<double>(half);
  }
  return share;
}

/// What passes of a frequency.
class Band {
 public:
  Band(double alpha, double tilt) : tilt_(tilt == 4 ? 0 : tilt), inverted_(tilt_ > 2) {
    constexpr double kQuarter = 0x1.921fb54442d18p+0;
    if (inverted_) alpha = 1 - alpha;
    edge_ = 1 - alpha;
    if (tilt_ == 0 || tilt_ == 2) return;
    slope_ = Cosine(kQuarter * tilt_) / Sine(kQuarter * tilt_);
    const bool first = tilt_ <= 1 || (tilt_ > 2 && tilt_ <= 3);
    offset_ = first ? alpha * slope_ + alpha - slope_ : alpha - alpha * slope_;
  }

  double Passed(double radius) const {
    if (tilt_ == 0) return radius > edge_ ? 1 : 0;
    if (tilt_ == 2) return radius < edge_ ? 1 : 0;
    const double share = std::clamp(slope_ * radius + offset_, 0.0, 1.0);
    return inverted_ ? 1 - share : share;
  }

 private:
  double tilt_;
  bool inverted_;
  double edge_ = 0;
  double slope_ = 0;
  double offset_ = 0;
};

/// What passes of three bands.
class Bands {
 public:
  /// {low, middle, high, first edge, second edge}.
  explicit Bands(std::span<const double> numbers) : numbers_(numbers) {}

  double Passed(double radius) const {
    if (radius < numbers_[3]) return numbers_[0];
    return radius < numbers_[4] ? numbers_[1] : numbers_[2];
  }

 private:
  std::span<const double> numbers_;
};

/// Every frequency times what `passing` passes of its radius.
template <class Passing>
void FilterTensor(std::span<const float> in, const Shape& shape, const Passing& passing,
                  std::span<float> out, const Poll& poll) {
  Spectrum spectrum(in, shape, poll);
  const Shape bins = spectrum.sizes();
  std::vector<std::vector<double>> squares;
  for (std::size_t d = 0; d < bins.size(); ++d) {
    squares.push_back(Axis(bins[d], d + 1 == bins.size()));
    for (double& share : squares.back()) share *= share;
  }
  std::vector<std::size_t> at(bins.size());
  const std::size_t count = ElementCount(bins).value();
  for (std::size_t bin = 0; bin < count; ++bin) {
    if (at.back() == 0) poll();
    double sum = 0;
    for (std::size_t d = 0; d < bins.size(); ++d) sum += squares[d][at[d]];
    spectrum.Scale(bin, passing.Passed(std::sqrt(sum / static_cast<double>(bins.size()))));
    for (std::size_t d = bins.size(); d > 0; --d) {
      ++at[d - 1];
      if (at[d - 1] < bins[d - 1]) break;
      at[d - 1] = 0;
    }
  }
  spectrum.Restore(out);
}

/// Of tensors without frequencies.
void PassShare(std::span<const float> in, double share, std::span<float> out) {
  std::ranges::transform(in, out.begin(),
                         [&](float value) { return static_cast<float>(share * value); });
}

void Filter(std::span<const std::span<const float>> in, const Shape& shape,
            std::span<const double> numbers, std::span<float> out, const Poll& poll, Told told) {
  if (in[0].size() < 2) {
    PassShare(in[0], numbers[0], out);
  } else {
    FilterTensor(in[0], shape, Band(numbers[0], numbers[1]), out, poll);
  }
  if (told.Wants(0)) told.Say(0, EnergyLeft(in[0], out));
}

void FilterByBand(std::span<const std::span<const float>> in, const Shape& shape,
                  std::span<const double> numbers, std::span<float> out, const Poll& poll,
                  Told told) {
  if (in[0].size() < 2) {
    PassShare(in[0], Bands(numbers).Passed(0), out);
  } else {
    FilterTensor(in[0], shape, Bands(numbers), out, poll);
  }
  if (told.Wants(0)) told.Say(0, EnergyLeft(in[0], out));
}

std::uint64_t Bytes(const Shape& shape, std::size_t /*inputs*/,
                    std::span<const double> /*numbers*/) {
  constexpr std::uint64_t kOfBin = 2 * sizeof(double);
  const std::uint64_t elements = ElementCount(shape).value_or(0);
  if (shape.empty() || elements == 0) return 0;
  std::uint64_t lines = 0;
  std::uint64_t squares = 0;
  for (const std::uint64_t size : shape) {
    lines = std::max(lines, Fourier::Bytes(size) + Panel::Bytes(size));
    squares += size * sizeof(double);
  }
  return (elements / 2 + elements / shape.back()) * kOfBin + lines + squares;
}

}  // namespace

const TensorFunction& FilterFrequencies() {
  static constexpr TensorFunction function{
      .name = "filter_frequencies", .compute = Filter, .bytes = Bytes};
  return function;
}

const TensorFunction& FilterBands() {
  static constexpr TensorFunction function{
      .name = "filter_bands", .compute = FilterByBand, .bytes = Bytes};
  return function;
}

}  // namespace weightsmith::internal
