#include "core/base/fourier.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>

#include "core/base/elementary.h"

namespace weightsmith::internal {
namespace {

constexpr double kPi = 0x1.921fb54442d18p+1;

/// Factors of a size; empty where one of its primes is too large.
std::vector<std::size_t> FactorsOf(std::size_t size) {
  std::vector<std::size_t> factors;
  for (const std::size_t factor : {4, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31}) {
    for (; size % factor == 0; size /= factor) factors.push_back(factor);
  }
  if (size > 1) factors.clear();
  return factors;
}

}  // namespace

/// One step of Stockham's algorithm: values of x that are far apart become neighbours in y. A
/// value is a row of elements: of all lines, and of what earlier steps put side by side.
struct Fourier::Stage {
  std::size_t row;
  double* x_re;
  double* x_im;
  double* y_re;
  double* y_im;

  /// out = Σ coefficient[j]·x[j]; rows of x are `step` elements apart.
  void Combine(std::size_t in, std::size_t step, std::size_t out,
               std::span<const Complex> coefficients) const {
    double* const re = y_re + out;
    double* const im = y_im + out;
    std::fill_n(re, row, 0.0);
    std::fill_n(im, row, 0.0);
    for (const Complex& c : coefficients) {
      const double* const a = x_re + in;
      const double* const b = x_im + in;
      for (std::size_t i = 0; i < row; ++i) {
        re[i] += c.re * a[i] - c.im * b[i];
        im[i] += c.re * b[i] + c.im * a[i];
      }
      in += step;
    }
  }

  /// The same of four rows, by sums and differences, then times w[0..2].
  void CombineFour(std::size_t in, std::size_t step, std::size_t out,
                   std::span<const Complex, 3> w) const {
    const double* const a = x_re + in;
    const double* const b = x_im + in;
    double* const re = y_re + out;
    double* const im = y_im + out;
    const auto turn = [&](std::size_t at, const Complex& by, double p, double q) {
      re[at] = by.re * p - by.im * q;
      im[at] = by.re * q + by.im * p;
    };
    for (std::size_t i = 0; i < row; ++i) {
      const std::size_t i1 = i + step;
      const std::size_t i2 = i1 + step;
      const std::size_t i3 = i2 + step;
      const double even_re = a[i] + a[i2];
      const double even_im = b[i] + b[i2];
      const double odd_re = a[i] - a[i2];
      const double odd_im = b[i] - b[i2];
      const double sum_re = a[i1] + a[i3];
      const double sum_im = b[i1] + b[i3];
      const double difference_re = a[i1] - a[i3];
      const double difference_im = b[i1] - b[i3];
      re[i] = even_re + sum_re;
      im[i] = even_im + sum_im;
      turn(i + row, w[0], odd_re + difference_im, odd_im - difference_re);
      turn(i + 2 * row, w[1], even_re - sum_re, even_im - sum_im);
      turn(i + 3 * row, w[2], odd_re - difference_im, odd_im + difference_re);
    }
  }
};

Fourier::Complex Fourier::Root(std::size_t part, std::size_t of) {
  const double angle = 2 * kPi * static_cast<double>(part % of) / static_cast<double>(of);
  return {Cosine(angle), -Sine(angle)};
}

Fourier::Fourier(std::size_t size) : size_(size), factors_(FactorsOf(size)) {
  if (size == 1) return;
  if (!factors_.empty()) {
    roots_.resize(size);
    for (std::size_t k = 0; k < size; ++k) roots_[k] = Root(k, size);
    return;
  }
  longer_ = std::make_unique<Fourier>(std::bit_ceil(2 * size - 1));
  chirp_.resize(size);
  for (std::uint64_t k = 0; k < size; ++k) chirp_[k] = Root(k * k % (2 * size), 2 * size);
  const std::size_t length = longer_->size();
  response_re_.resize(length);
  response_im_.resize(length);
  for (std::size_t k = 0; k < size; ++k) {
    const std::size_t mirrored = (length - k) % length;
    response_re_[k] = response_re_[mirrored] = chirp_[k].re;
    response_im_[k] = response_im_[mirrored] = -chirp_[k].im;
  }
  longer_->Forward(response_re_, response_im_, 1);
}

std::uint64_t Fourier::Bytes(std::size_t size) {
  constexpr std::uint64_t kOfElement = 2 * sizeof(Complex);  // a root, and a line's work
  if (size < 2) return 0;
  if (!FactorsOf(size).empty()) return size * kOfElement;
  return size * kOfElement + std::bit_ceil(2 * size - 1) * (kOfElement + 2 * sizeof(Complex));
}

void Fourier::Forward(std::span<double> re, std::span<double> im, std::size_t lines) {
  if (size_ == 1) return;
  if (factors_.empty()) {
    TransformByConvolution(re, im, lines);
  } else {
    TransformSmooth(re, im, lines);
  }
}

void Fourier::Inverse(std::span<double> re, std::span<double> im, std::size_t lines) {
  Forward(im, re, lines);
  const auto size = static_cast<double>(size_);
  for (double& value : re) value /= size;
  for (double& value : im) value /= size;
}

void Fourier::TransformSmooth(std::span<double> re, std::span<double> im, std::size_t lines) {
  work_re_.resize(std::max(work_re_.size(), re.size()));
  work_im_.resize(std::max(work_im_.size(), im.size()));
  Stage stage{.row = lines,
              .x_re = re.data(),
              .x_im = im.data(),
              .y_re = work_re_.data(),
              .y_im = work_im_.data()};
  std::vector<Complex> coefficients;
  std::size_t left = size_;
  for (const std::size_t radix : factors_) {
    const std::size_t shorter = left / radix;
    const std::size_t between = size_ / left;  // of roots
    for (std::size_t p = 0; p < shorter; ++p) {
      const std::size_t in = p * stage.row;
      const std::size_t out = p * radix * stage.row;
      const std::size_t step = shorter * stage.row;
      if (radix == 4) {
        const Complex w[3] = {roots_[p * between], roots_[2 * p * between],
                              roots_[3 * p * between]};
        stage.CombineFour(in, step, out, w);
        continue;
      }
      for (std::size_t k = 0; k < radix; ++k) {
        coefficients.clear();
        for (std::size_t j = 0; j < radix; ++j) {
          const std::size_t turn = p * k * between + j * k % radix * (size_ / radix);
          coefficients.push_back(roots_[turn % size_]);
        }
        stage.Combine(in, step, out + k * stage.row, coefficients);
      }
    }
    std::swap(stage.x_re, stage.y_re);
    std::swap(stage.x_im, stage.y_im);
    stage.row *= radix;
    left = shorter;
  }
  if (stage.x_re == re.data()) return;
  std::copy_n(stage.x_re, re.size(), re.begin());
  std::copy_n(stage.x_im, im.size(), im.begin());
}

void Fourier::TransformByConvolution(std::span<double> re, std::span<double> im,
                                     std::size_t lines) {
  const std::size_t length = longer_->size();
  work_re_.assign(length * lines, 0.0);
  work_im_.assign(length * lines, 0.0);
  const auto turn = [&](std::size_t k, std::span<const double> from_re,
                        std::span<const double> from_im, std::span<double> to_re,
                        std::span<double> to_im) {
    const Complex by = chirp_[k];
    for (std::size_t i = k * lines; i < (k + 1) * lines; ++i) {
      const double real = from_re[i] * by.re - from_im[i] * by.im;
      to_im[i] = from_re[i] * by.im + from_im[i] * by.re;
      to_re[i] = real;
    }
  };
  for (std::size_t k = 0; k < size_; ++k) turn(k, re, im, work_re_, work_im_);
  longer_->Forward(work_re_, work_im_, lines);
  for (std::size_t k = 0; k < length; ++k) {
    for (std::size_t i = k * lines; i < (k + 1) * lines; ++i) {
      const double real = work_re_[i] * response_re_[k] - work_im_[i] * response_im_[k];
      work_im_[i] = work_re_[i] * response_im_[k] + work_im_[i] * response_re_[k];
      work_re_[i] = real;
    }
  }
  longer_->Inverse(work_re_, work_im_, lines);
  for (std::size_t k = 0; k < size_; ++k) turn(k, work_re_, work_im_, re, im);
}

}  // namespace weightsmith::internal
