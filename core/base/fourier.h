// The discrete Fourier transform of lines of any length: the same bits on every machine, where a
// library takes sines from the system's mathematics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace weightsmith::internal {

/// Plan and memory of transforms of one length. Lengths whose prime factors are all at most 31 take
/// Stockham's algorithm, others Bluestein's by way of a power of two: n·log(n) operations for all.
class Fourier {
 public:
  /// REQUIRES: size > 0.
  explicit Fourier(std::size_t size);

  /// Bytes that one of a length takes with its memory for one line, at most.
  static std::uint64_t Bytes(std::size_t size);

  std::size_t size() const { return size_; }

  /// Transforms several lines in place; element i of line j stands at i * lines + j.
  /// REQUIRES: both spans have size() * lines elements.
  void Forward(std::span<double> re, std::span<double> im, std::size_t lines);

  /// The inverse of Forward.
  void Inverse(std::span<double> re, std::span<double> im, std::size_t lines);

 private:
  struct Complex {
    double re = 0;
    double im = 0;
  };
  struct Stage;

  /// e^(-2πi·part/of).
  static Complex Root(std::size_t part, std::size_t of);
  void TransformSmooth(std::span<double> re, std::span<double> im, std::size_t lines);
  void TransformByConvolution(std::span<double> re, std::span<double> im, std::size_t lines);

  std::size_t size_;
  std::vector<std::size_t> factors_;  ///< empty where the transform is made of a longer one
  std::vector<Complex> roots_;        ///< e^(-2πi·k/size)
  std::vector<double> work_re_;
  std::vector<double> work_im_;

  std::unique_ptr<Fourier> longer_;
  std::vector<Complex> chirp_;       ///< e^(-πi·k²/size)
  std::vector<double> response_re_;  ///< the transform of the chirp's conjugate, of the longer size
  std::vector<double> response_im_;
};

}  // namespace weightsmith::internal
