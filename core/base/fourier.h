// The discrete Fourier transform of lines of any length: the same bits on every machine, where a
// library takes sines from the system's mathematics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace weightsmith::internal {

/// Plan and memory of transforms of one length. Lengths whose prime factors are all at most 31 take
/// Stockham's algorithm, others Bluestein's by way of a power of two: n·log(n) operations for all.
class Fourier {
 public:
  /// Runs a loop whose parts, by their numbers, do not depend on each other: in any order and from
  /// any threads. What it throws comes through.
  using Loop =
      std::function<void(std::size_t count, const std::function<void(std::size_t part)>& part)>;
  /// One part after the other.
  static void OnOneThread(std::size_t count, const std::function<void(std::size_t part)>& part);

  /// What a transform works in, kept from one to the next; for one at a time.
  struct Memory {
    std::vector<double> re;
    std::vector<double> im;
    std::vector<double> longer_re;  ///< lines of Bluestein's power of two
    std::vector<double> longer_im;
  };

  /// REQUIRES: size > 0.
  explicit Fourier(std::size_t size, const Loop& loop = OnOneThread);

  /// Bytes that one of a length takes, at most.
  static std::uint64_t Bytes(std::size_t size);
  /// Bytes that its memory takes for so many lines.
  static std::uint64_t MemoryBytes(std::size_t size, std::size_t lines);

  std::size_t size() const { return size_; }

  /// Transforms several lines in place; element i of line j stands at i * lines + j. Of long lines
  /// the loop has many parts. Any thread.
  /// REQUIRES: both spans have size() * lines elements.
  void Forward(std::span<double> re, std::span<double> im, std::size_t lines, Memory& memory,
               const Loop& loop = OnOneThread) const;

  /// The inverse of Forward.
  void Inverse(std::span<double> re, std::span<double> im, std::size_t lines, Memory& memory,
               const Loop& loop = OnOneThread) const;

 private:
  struct Complex {
    double re = 0;
    double im = 0;
  };
  struct Stage;

  /// e^(-2πi·part/of).
  static Complex Root(std::size_t part, std::size_t of);
  void TransformSmooth(std::span<double> re, std::span<double> im, std::size_t lines,
                       Memory& memory, const Loop& loop) const;
  void TransformByConvolution(std::span<double> re, std::span<double> im, std::size_t lines,
                              Memory& memory, const Loop& loop) const;

  std::size_t size_;
  std::vector<std::size_t> factors_;  ///< empty where the transform is made of a longer one
  std::vector<Complex> roots_;        ///< e^(-2πi·k/size)
  std::unique_ptr<Fourier> longer_;
  std::vector<Complex> chirp_;       ///< e^(-πi·k²/size)
  std::vector<double> response_re_;  ///< the transform of the chirp's conjugate, of the longer size
  std::vector<double> response_im_;
};

}  // namespace weightsmith::internal
