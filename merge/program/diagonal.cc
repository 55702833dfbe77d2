#include "merge/program/diagonal.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "merge/program/sweeps.h"

namespace weightsmith::internal {
namespace {

/// What is as small beside the largest number counts as 0: half a unit in its last place.
constexpr double kNothing = 0x1p-53;
/// Far more than it takes, which is about two for each value.
constexpr std::size_t kMostSweeps = 60;
/// Where so many left no value behind, rounding makes anew what they take away: a few units of it
/// count as 0 too.
constexpr std::size_t kSweepsInVain = 20;
constexpr double kRounding = 4;
/// Sweeps that wait until they are applied at once.
constexpr std::size_t kSweepsAtOnce = 64;

/// The rotation that takes (x, y) to (length, 0).
Rotation Towards(double x, double y, double& length) {
  length = std::sqrt(x * x + y * y);
  if (length == 0) return {};
  return {x / length, y / length};
}

/// Of a run [low, high] of the diagonals, none of which is 0 but perhaps of the first.
class Sweeper {
 public:
  Sweeper(std::vector<double>& diagonal, std::vector<double>& above)
      : diagonal_(diagonal), above_(above) {}

  /// The square of the singular value of the last two columns that is nearer to the last's.
  double Shift(std::size_t low, std::size_t high) const {
    const double before = high - 1 > low ? above_[high - 2] : 0;
    const double first = diagonal_[high - 1] * diagonal_[high - 1] + before * before;
    const double last = diagonal_[high] * diagonal_[high] + above_[high - 1] * above_[high - 1];
    const double product = diagonal_[high - 1] * above_[high - 1];
    if (product == 0) return last;
    const double half = (first - last) / 2;
    const double root = std::sqrt(half * half + product * product);
    return last - product * product / (half + (half < 0 ? -root : root));
  }

  Sweep Run(std::size_t low, std::size_t high, double shift) {
    Sweep sweep{.first = low, .rotations = {}};
    sweep.rotations.reserve(high - low);
    double x = diagonal_[low] * diagonal_[low] - shift;
    double y = diagonal_[low] * above_[low];
    if (shift == 0) {
      x = diagonal_[low];
      y = above_[low];
    }
    for (std::size_t k = low; k < high; ++k) {
      double length = 0;
      const Rotation right = Towards(x, y, length);
      if (k > low) above_[k - 1] = length;
      const double on = right.cosine * diagonal_[k] + right.sine * above_[k];
      above_[k] = right.cosine * above_[k] - right.sine * diagonal_[k];
      const double below = right.sine * diagonal_[k + 1];
      diagonal_[k + 1] *= right.cosine;
      sweep.rotations.push_back(right);
      const Rotation left = Towards(on, below, length);
      diagonal_[k] = length;
      const double next = left.cosine * above_[k] + left.sine * diagonal_[k + 1];
      diagonal_[k + 1] = left.cosine * diagonal_[k + 1] - left.sine * above_[k];
      x = above_[k] = next;
      if (k + 1 == high) break;
      y = left.sine * above_[k + 1];
      above_[k + 1] *= left.cosine;
    }
    return sweep;
  }

 private:
  std::vector<double>& diagonal_;
  std::vector<double>& above_;
};

double LargestOf(const Bidiagonal& parts) {
  double largest = 0;
  for (const double value : parts.diagonal) largest = std::max(largest, std::abs(value));
  for (const double value : parts.above) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace

void Diagonalise(Bidiagonal& parts, const Poll& poll) {
  const double largest = LargestOf(parts);
  if (largest == 0) return;
  // Between 1/2 and 1, so that squares of all that counts are numbers.
  int exponent = 0;
  std::frexp(largest, &exponent);
  for (double& value : parts.diagonal) value = std::ldexp(value, -exponent);
  for (double& value : parts.above) value = std::ldexp(value, -exponent);
  const double nothing = kNothing * std::ldexp(largest, -exponent);
  Sweeper sweeper(parts.diagonal, parts.above);
  std::vector<Sweep> waiting;
  std::size_t left = kMostSweeps * parts.diagonal.size();
  std::size_t in_vain = 0;
  std::size_t high = parts.diagonal.size() - 1;
  while (high > 0) {
    poll();
    const double last = in_vain < kSweepsInVain ? nothing : kRounding * nothing;
    if (std::abs(parts.above[high - 1]) <= last) {
      --high;
      in_vain = 0;
      continue;
    }
    std::size_t low = high - 1;
    bool none = std::abs(parts.diagonal[high]) <= nothing;
    for (;; --low) {
      none = none || std::abs(parts.diagonal[low]) <= nothing;
      if (low == 0 || std::abs(parts.above[low - 1]) <= nothing) break;
    }
    if (left-- == 0) {
      throw Error(ErrorCode::kFailed, "the singular values of a matrix do not converge");
    }
    ++in_vain;
    const double shift = none ? 0 : sweeper.Shift(low, high);
    waiting.push_back(sweeper.Run(low, high, shift));
    if (waiting.size() == kSweepsAtOnce) {
      RotateRows(waiting, parts.right, poll);
      waiting.clear();
    }
  }
  RotateRows(waiting, parts.right, poll);
  for (double& value : parts.diagonal) value = std::ldexp(std::abs(value), exponent);
  for (double& value : parts.above) value = 0;
}

}  // namespace weightsmith::internal
