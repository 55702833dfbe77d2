#include "merge/program/frequency.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <vector>

#include <unsupported/Eigen/FFT>

#include "core/base/elementary.h"

namespace weightsmith {
namespace {

using Complex = std::complex<double>;

/// Dimensions of more than one element; a tensor of one has none.
std::vector<std::size_t> Dimensions(const Shape& shape) {
  return {shape.begin(), shape.end()};
}

/// Transforms of complex lines, forth and back. One element is its own spectrum, which the library
/// does not know.
class Lines {
 public:
  void Forward(std::vector<Complex>& line) {
    if (line.size() == 1) return;
    fft_.fwd(out_, line);
    line.swap(out_);
  }
  void Inverse(std::vector<Complex>& line) {
    if (line.size() == 1) return;
    fft_.inv(out_, line);
    line.swap(out_);
  }

 private:
  Eigen::FFT<double> fft_;
  std::vector<Complex> out_;
};

/// The spectrum of a real tensor: along the last dimension the half that says all of it.
class Spectrum {
 public:
  Spectrum(std::span<const float> values, std::vector<std::size_t> sizes)
      : sizes_(std::move(sizes)), last_(sizes_.back()), half_(last_ / 2 + 1) {
    const std::size_t rows = values.size() / last_;
    bins_.resize(rows * half_);
    std::vector<Complex> line(last_);
    for (std::size_t row = 0; row < rows; ++row) {
      std::copy_n(values.begin() + row * last_, last_, line.begin());
      lines_.Forward(line);
      std::copy_n(line.begin(), half_, bins_.begin() + row * half_);
    }
    AlongOthers([&](std::vector<Complex>& other) { lines_.Forward(other); });
  }

  /// Sizes of the bins: those of the tensor, the last one halved.
  std::vector<std::size_t> sizes() const {
    std::vector<std::size_t> sizes = sizes_;
    sizes.back() = half_;
    return sizes;
  }
  std::vector<Complex>& bins() { return bins_; }

  void Restore(std::span<float> values) {
    AlongOthers([&](std::vector<Complex>& other) { lines_.Inverse(other); });
    std::vector<Complex> line(last_);
    for (std::size_t row = 0; row < bins_.size() / half_; ++row) {
      const Complex* bins = bins_.data() + row * half_;
      for (std::size_t i = 0; i < half_; ++i) line[i] = bins[i];
      for (std::size_t i = half_; i < last_; ++i) line[i] = std::conj(bins[last_ - i]);
      lines_.Inverse(line);
      for (std::size_t i = 0; i < last_; ++i) {
        values[row * last_ + i] = static_cast<float>(line[i].real());
      }
    }
  }

 private:
  /// Every line of every dimension but the last.
  template <class Use>
  void AlongOthers(const Use& use) {
    std::size_t stride = half_;
    for (std::size_t d = sizes_.size() - 1; d-- > 0;) {
      const std::size_t size = sizes_[d];
      std::vector<Complex> line(size);
      for (std::size_t block = 0; size > 1 && block < bins_.size(); block += size * stride) {
        for (std::size_t at = 0; at < stride; ++at) {
          Complex* first = bins_.data() + block + at;
          for (std::size_t i = 0; i < size; ++i) line[i] = first[i * stride];
          use(line);
          for (std::size_t i = 0; i < size; ++i) first[i * stride] = line[i];
        }
      }
      stride *= size;
    }
  }

  std::vector<std::size_t> sizes_;
  std::size_t last_;
  std::size_t half_;
  Lines lines_;
  std::vector<Complex> bins_;
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

double Passed(double radius, double alpha, double tilt) {
  if (tilt == 4) tilt = 0;
  const bool inverted = tilt > 2;
  if (inverted) alpha = 1 - alpha;
  double share = 0;
  if (tilt == 0) {
    share = radius > 1 - alpha ? 1 : 0;
  } else if (tilt == 2) {
    share = radius < 1 - alpha ? 1 : 0;
  } else {
    constexpr double kQuarter = 0x1.921fb54442d18p+0;
    const double slope = Cosine(kQuarter * tilt) / Sine(kQuarter * tilt);
    const bool first = tilt <= 1 || (tilt > 2 && tilt <= 3);
    share = first ? slope * radius + alpha * slope + alpha - slope
                  : slope * radius - alpha * slope + alpha;
  }
  share = std::clamp(share, 0.0, 1.0);
  return inverted ? 1 - share : share;
}

void Filter(std::span<const std::span<const float>> in, const Shape& shape,
            std::span<const double> numbers, std::span<float> out) {
  const double alpha = numbers[0];
  const double tilt = numbers[1];
  const std::vector<std::size_t> sizes = Dimensions(shape);
  if (in[0].size() < 2) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(alpha * in[0][i]);
    return;
  }
  Spectrum spectrum(in[0], sizes);
  const std::vector<std::size_t> bins = spectrum.sizes();
  std::vector<std::vector<double>> squares;
  for (std::size_t d = 0; d < bins.size(); ++d) {
    squares.push_back(Axis(bins[d], d + 1 == bins.size()));
    for (double& share : squares.back()) share *= share;
  }
  std::vector<std::size_t> at(bins.size());
  for (Complex& bin : spectrum.bins()) {
    double sum = 0;
    for (std::size_t d = 0; d < bins.size(); ++d) sum += squares[d][at[d]];
    bin *= Passed(std::sqrt(sum / static_cast<double>(bins.size())), alpha, tilt);
    for (std::size_t d = bins.size(); d-- > 0 && ++at[d] == bins[d];) at[d] = 0;
  }
  spectrum.Restore(out);
}

}  // namespace

const TensorFunction& FilterFrequencies() {
  static constexpr TensorFunction function{.name = "filter_frequencies", .compute = Filter};
  return function;
}

}  // namespace weightsmith
