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

/// Elements of a part of a loop, about a millisecond.
constexpr std::size_t kPart = std::size_t{1} << 16;

/// Calls `use(first, end)` for ranges that make up 0 to size - 1.
template <class Use>
void InRanges(std::size_t size, std::size_t range, const Fourier::Loop& loop, const Use& use) {
  if (size <= range) return use(0, size);
  loop((size + range - 1) / range,
       [&](std::size_t part) { use(part * range, std::min((part + 1) * range, size)); });
}

/// Makes it so long, with zeros behind what it has.
template <class Number>
void ExtendWithZeros(std::vector<Number>& values, std::size_t size, const Fourier::Loop& loop) {
  constexpr std::size_t kStep = 16 * kPart;
  values.reserve(size);
  while (values.size() < size) {
    loop(1, [&](std::size_t /*part*/) { values.resize(std::min(values.size() + kStep, size)); });
  }
}

}  // namespace

void Fourier::OnOneThread(std::size_t count, const std::function<void(std::size_t part)>& part) {
  for (std::size_t number = 0; number < count; ++number) part(number);
}

/// One step of Stockham's algorithm: values of x that are far apart become neighbours in y. A
/// value is a row of elements: of all lines, and of what earlier steps put side by side.
struct Fourier::Stage {
  std::size_t row;
  double* x_re;
  double* x_im;
  double* y_re;
  double* y_im;

  /// Elements [begin, end) of out = Σ coefficient[j]·x[j]; rows of x are `step` elements apart.
  void Combine(std::size_t in, std::size_t step, std::size_t out,
               std::span<const Complex> coefficients, std::size_t begin, std::size_t end) const {
    double* const re = y_re + out;
    double* const im = y_im + out;
    std::fill(re + begin, re + end, 0.0);
    std::fill(im + begin, im + end, 0.0);
    for (const Complex& c : coefficients) {
      const double* const a = x_re + in;
      const double* const b = x_im + in;
      for (std::size_t i = begin; i < end; ++i) {
        re[i] += c.re * a[i] - c.im * b[i];
        im[i] += c.re * b[i] + c.im * a[i];
      }
      in += step;
    }
  }

  /// The same of four rows, by sums and differences, then times w[0..2].
  void CombineFour(std::size_t in, std::size_t step, std::size_t out, std::span<const Complex, 3> w,
                   std::size_t begin, std::size_t end) const {
    const double* const a = x_re + in;
    const double* const b = x_im + in;
    double* const re = y_re + out;
    double* const im = y_im + out;
    const auto turn = [&](std::size_t at, const Complex& by, double p, double q) {
      re[at] = by.re * p - by.im * q;
      im[at] = by.re * q + by.im * p;
    };
    for (std::size_t i = begin; i < end; ++i) {
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

Fourier::Fourier(std::size_t size, const Loop& loop) : size_(size), factors_(FactorsOf(size)) {
  constexpr std::size_t kRootsOfPart = std::size_t{1} << 13;
  if (size == 1) return;
  if (!factors_.empty()) {
    ExtendWithZeros(roots_, size, loop);
    InRanges(size, kRootsOfPart, loop, [&](std::size_t begin, std::size_t end) {
      for (std::size_t k = begin; k < end; ++k) roots_[k] = Root(k, size);
    });
    return;
  }
  longer_ = std::make_unique<Fourier>(std::bit_ceil(2 * size - 1), loop);
  ExtendWithZeros(chirp_, size, loop);
  InRanges(size, kRootsOfPart, loop, [&](std::size_t begin, std::size_t end) {
    for (std::uint64_t k = begin; k < end; ++k) chirp_[k] = Root(k * k % (2 * size), 2 * size);
  });
  const std::size_t length = longer_->size();
  ExtendWithZeros(response_re_, length, loop);
  ExtendWithZeros(response_im_, length, loop);
  InRanges(size, kPart, loop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t k = begin; k < end; ++k) {
      const std::size_t mirrored = (length - k) % length;
      response_re_[k] = response_re_[mirrored] = chirp_[k].re;
      response_im_[k] = response_im_[mirrored] = -chirp_[k].im;
    }
  });
  Memory memory;
  longer_->Forward(response_re_, response_im_, 1, memory, loop);
}

std::uint64_t Fourier::Bytes(std::size_t size) {
  if (size < 2) return 0;
  if (!FactorsOf(size).empty()) return size * sizeof(Complex);
  // A chirp; roots, the response, and what the response is made in.
  return size * sizeof(Complex) + std::bit_ceil(2 * size - 1) * 3 * sizeof(Complex);
}

std::uint64_t Fourier::MemoryBytes(std::size_t size, std::size_t lines) {
  if (size < 2) return 0;
  if (!FactorsOf(size).empty()) return size * lines * sizeof(Complex);
  return std::bit_ceil(2 * size - 1) * lines * 2 * sizeof(Complex);
}

void Fourier::Forward(std::span<double> re, std::span<double> im, std::size_t lines, Memory& memory,
                      const Loop& loop) const {
  if (size_ == 1) return;
  if (factors_.empty()) {
    TransformByConvolution(re, im, lines, memory, loop);
  } else {
    TransformSmooth(re, im, lines, memory, loop);
  }
}

void Fourier::Inverse(std::span<double> re, std::span<double> im, std::size_t lines, Memory& memory,
                      const Loop& loop) const {
  Forward(im, re, lines, memory, loop);
  const auto size = static_cast<double>(size_);
  InRanges(re.size(), kPart, loop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) re[i] /= size;
    for (std::size_t i = begin; i < end; ++i) im[i] /= size;
  });
}

void Fourier::TransformSmooth(std::span<double> re, std::span<double> im, std::size_t lines,
                              Memory& memory, const Loop& loop) const {
  ExtendWithZeros(memory.re, re.size(), loop);
  ExtendWithZeros(memory.im, im.size(), loop);
  Stage stage{.row = lines,
              .x_re = re.data(),
              .x_im = im.data(),
              .y_re = memory.re.data(),
              .y_im = memory.im.data()};
  std::size_t left = size_;
  for (const std::size_t radix : factors_) {
    const std::size_t shorter = left / radix;
    const std::size_t between = size_ / left;  // of roots
    const std::size_t step = shorter * stage.row;
    // Elements [begin, end) of the rows that values p of the shorter transforms make.
    const auto combine = [&](std::size_t p, std::size_t begin, std::size_t end,
                             std::vector<Complex>& coefficients) {
      const std::size_t in = p * stage.row;
      const std::size_t out = p * radix * stage.row;
      if (radix == 4) {
        const Complex w[3] = {roots_[p * between], roots_[2 * p * between],
                              roots_[3 * p * between]};
        return stage.CombineFour(in, step, out, w, begin, end);
      }
      for (std::size_t k = 0; k < radix; ++k) {
        coefficients.clear();
        for (std::size_t j = 0; j < radix; ++j) {
          const std::size_t turn = p * k * between + j * k % radix * (size_ / radix);
          coefficients.push_back(roots_[turn % size_]);
        }
        stage.Combine(in, step, out + k * stage.row, coefficients, begin, end);
      }
    };
    // Rows of several values together, or a row in several parts.
    const std::size_t range = std::max<std::size_t>(1, kPart / radix);
    const std::size_t parts = (stage.row + range - 1) / range;
    const std::size_t together = std::max<std::size_t>(1, range / stage.row);
    InRanges(shorter * parts, together, loop, [&](std::size_t begin, std::size_t end) {
      std::vector<Complex> coefficients;
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t first = i % parts * range;
        combine(i / parts, first, std::min(first + range, stage.row), coefficients);
      }
    });
    std::swap(stage.x_re, stage.y_re);
    std::swap(stage.x_im, stage.y_im);
    stage.row *= radix;
    left = shorter;
  }
  if (stage.x_re == re.data()) return;
  InRanges(re.size(), kPart, loop, [&](std::size_t begin, std::size_t end) {
    std::copy(stage.x_re + begin, stage.x_re + end, re.data() + begin);
    std::copy(stage.x_im + begin, stage.x_im + end, im.data() + begin);
  });
}

void Fourier::TransformByConvolution(std::span<double> re, std::span<double> im, std::size_t lines,
                                     Memory& memory, const Loop& loop) const {
  const std::size_t length = longer_->size();
  std::vector<double>& long_re = memory.longer_re;
  std::vector<double>& long_im = memory.longer_im;
  long_re.clear();
  long_im.clear();
  ExtendWithZeros(long_re, length * lines, loop);
  ExtendWithZeros(long_im, length * lines, loop);
  const std::size_t range = std::max<std::size_t>(1, kPart / lines);
  const auto turn = [&](std::span<const double> from_re, std::span<const double> from_im,
                        std::span<double> to_re, std::span<double> to_im) {
    InRanges(size_, range, loop, [&](std::size_t begin, std::size_t end) {
      for (std::size_t k = begin; k < end; ++k) {
        const Complex by = chirp_[k];
        for (std::size_t i = k * lines; i < (k + 1) * lines; ++i) {
          const double real = from_re[i] * by.re - from_im[i] * by.im;
          to_im[i] = from_re[i] * by.im + from_im[i] * by.re;
          to_re[i] = real;
        }
      }
    });
  };
  turn(re, im, long_re, long_im);
  longer_->Forward(long_re, long_im, lines, memory, loop);
  InRanges(length, range, loop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t k = begin; k < end; ++k) {
      for (std::size_t i = k * lines; i < (k + 1) * lines; ++i) {
        const double real = long_re[i] * response_re_[k] - long_im[i] * response_im_[k];
        long_im[i] = long_re[i] * response_im_[k] + long_im[i] * response_re_[k];
        long_re[i] = real;
      }
    }
  });
  longer_->Inverse(long_re, long_im, lines, memory, loop);
  turn(long_re, long_im, re, im);
}

}  // namespace weightsmith::internal
