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
  /// REQUIRES: `fourier` outlives it.
  explicit Panel(const Fourier& fourier) : fourier_(fourier), width_(Width(fourier.size())) {
    re_.resize(size() * width_);
    im_.resize(size() * width_);
  }

  static std::size_t Width(std::size_t size) {
    constexpr std::size_t kElements = std::size_t{1} << 15;
    constexpr std::size_t kMostLines = 16;
    // Of short lines more, since each transform takes some time by itself.
    constexpr std::size_t kFewElements = std::size_t{1} << 12;
    return std::clamp<std::size_t>(kElements / size, 1, std::max(kMostLines, kFewElements / size));
  }

  /// Of its lines, and what a transform works in.
  static std::uint64_t Bytes(std::size_t size) {
    return 2 * sizeof(double) * size * Width(size) + Fourier::MemoryBytes(size, Width(size));
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
    inverse ? fourier_.Inverse(re, im, lines_, memory_) : fourier_.Forward(re, im, lines_, memory_);
  }

 private:
  const Fourier& fourier_;
  Fourier::Memory memory_;
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
    poll_.Extend(re_, rows * half_);
    poll_.Extend(im_, rows * half_);
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
  /// Elements that a thread transforms with one panel.
  static constexpr std::size_t kElementsOfPart = std::size_t{1} << 18;

  /// Calls `use(panel, number)` for panels 0 to count - 1 of at most so many elements.
  template <class Use>
  void EachPanel(const Fourier& fourier, std::size_t count, std::size_t elements, const Use& use) {
    const std::size_t together = std::max<std::size_t>(1, kElementsOfPart / elements);
    poll_.ForEach((count + together - 1) / together, [&](std::size_t part) {
      Panel panel(fourier);
      const std::size_t end = std::min((part + 1) * together, count);
      for (std::size_t number = part * together; number < end; ++number) use(panel, number);
    });
  }

  template <class Use>
  void EachPanelOfRows(const Use& use) {
    const std::size_t rows = re_.size() / half_;
    const std::size_t width = Panel::Width(last_);
    const Fourier fourier(last_);
    EachPanel(fourier, (rows + width - 1) / width, width * last_,
              [&](Panel& panel, std::size_t number) {
                const std::size_t first = number * width;
                const std::size_t lines = std::min(width, rows - first);
                panel.Begin(lines);
                use(panel, first, lines);
              });
  }

  void TransformAlong(std::size_t dimension, bool inverse) {
    const std::size_t size = sizes_[dimension];
    if (size == 1) return;
    std::size_t stride = half_;
    for (std::size_t d = dimension + 1; d + 1 < sizes_.size(); ++d) stride *= sizes_[d];
    const std::size_t blocks = re_.size() / (size * stride);
    const std::size_t width = Panel::Width(size);
    const std::size_t of_block = (stride + width - 1) / width;
    const Fourier fourier(size);
    EachPanel(fourier, blocks * of_block, size * std::min(width, stride),
              [&](Panel& panel, std::size_t number) {
                const std::size_t block = number / of_block * size * stride;
                const std::size_t first = number % of_block * width;
                const std::size_t lines = std::min(width, stride - first);
                panel.Begin(lines);
                Exchange(panel, block + first, stride, lines, /*load=*/true);
                panel.Transform(inverse);
                Exchange(panel, block + first, stride, lines, /*load=*/false);
              });
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
  explicit Band(const TiltedBand& band)
      : tilt_(band.tilt == 4 ? 0 : band.tilt), inverted_(tilt_ > 2) {
    constexpr double kQuarter = 0x1.921fb54442d18p+0;
    const double alpha = inverted_ ? 1 - band.alpha : band.alpha;
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

double PassedOf(const ThreeBands& bands, double radius) {
  if (radius < bands.first_edge) return bands.low;
  return radius < bands.second_edge ? bands.middle : bands.high;
}

/// Every frequency times the share `passed` of its radius.
template <class Passed>
void FilterTensor(std::span<const float> in, const Shape& shape, const Passed& passed,
                  std::span<float> out, const Poll& poll) {
  constexpr std::size_t kBinsOfPart = std::size_t{1} << 16;
  Spectrum spectrum(in, shape, poll);
  const Shape bins = spectrum.sizes();
  std::vector<std::vector<double>> squares;
  for (std::size_t d = 0; d < bins.size(); ++d) {
    squares.push_back(Axis(bins[d], d + 1 == bins.size()));
    for (double& share : squares.back()) share *= share;
  }
  const std::vector<double>& last = squares.back();
  const std::size_t rows = ElementCount(bins).value() / last.size();
  const std::size_t together = std::max<std::size_t>(1, kBinsOfPart / last.size());
  poll.ForEach((rows + together - 1) / together, [&](std::size_t part) {
    for (std::size_t row = part * together; row < std::min((part + 1) * together, rows); ++row) {
      double others = 0;
      std::size_t stride = rows;
      for (std::size_t d = 0; d + 1 < bins.size(); ++d) {
        stride /= bins[d];
        others += squares[d][row / stride % bins[d]];
      }
      for (std::size_t i = 0; i < last.size(); ++i) {
        const double sum = others + last[i];
        spectrum.Scale(row * last.size() + i,
                       passed(std::sqrt(sum / static_cast<double>(bins.size()))));
      }
    }
  });
  spectrum.Restore(out);
}

/// Of tensors without frequencies.
void PassShare(std::span<const float> in, double share, std::span<float> out) {
  std::ranges::transform(in, out.begin(),
                         [&](float value) { return static_cast<float>(share * value); });
}

void Filter(TensorInputs in, const Shape& shape, const TiltedBand& band, std::span<float> out,
            const Poll& poll, Told told) {
  if (in[0].size() < 2) {
    PassShare(in[0], band.alpha, out);
  } else {
    const Band passing(band);
    FilterTensor(
        in[0], shape, [&](double radius) { return passing.Passed(radius); }, out, poll);
  }
  if (told.Wants(0)) told.Say(0, EnergyLeft(in[0], out, poll));
}

void FilterByBand(TensorInputs in, const Shape& shape, const ThreeBands& bands,
                  std::span<float> out, const Poll& poll, Told told) {
  if (in[0].size() < 2) {
    PassShare(in[0], PassedOf(bands, 0), out);
  } else {
    FilterTensor(
        in[0], shape, [&](double radius) { return PassedOf(bands, radius); }, out, poll);
  }
  if (told.Wants(0)) told.Say(0, EnergyLeft(in[0], out, poll));
}

template <class Bands>
std::uint64_t FilterBytes(const Shape& shape, std::size_t /*inputs*/, const Bands& /*bands*/) {
  constexpr std::uint64_t kOfBin = 2 * sizeof(double);
  const std::uint64_t elements = ElementCount(shape).value_or(0);
  if (shape.empty() || elements == 0) return 0;
  std::uint64_t lines = 0;
  std::uint64_t squares = 0;
  for (const std::uint64_t size : shape) {
    lines = std::max(lines, Fourier::Bytes(size));
    squares += size * sizeof(double);
  }
  return (elements / 2 + elements / shape.back()) * kOfBin + lines + squares;
}

template <class Bands>
std::uint64_t FilterBytesOfPart(const Shape& shape, std::size_t /*inputs*/,
                                const Bands& /*bands*/) {
  std::uint64_t most = 0;
  for (const std::uint64_t size : shape) {
    if (size > 0) most = std::max(most, Panel::Bytes(size));
  }
  return most;
}

}  // namespace

const TensorFunction<TiltedBand>& FilterFrequencies() {
  static constexpr TensorFunction<TiltedBand> function{.name = "filter_frequencies",
                                                       .compute = Filter,
                                                       .bytes = FilterBytes,
                                                       .bytes_of_part = FilterBytesOfPart};
  return function;
}

const TensorFunction<ThreeBands>& FilterBands() {
  static constexpr TensorFunction<ThreeBands> function{.name = "filter_bands",
                                                       .compute = FilterByBand,
                                                       .bytes = FilterBytes,
                                                       .bytes_of_part = FilterBytesOfPart};
  return function;
}

}  // namespace weightsmith::internal
