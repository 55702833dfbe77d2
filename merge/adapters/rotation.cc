#include "merge/adapters/rotation.h"

#include <cmath>
#include <utility>

namespace weightsmith::internal {
namespace {

using Matrix = std::vector<double>;

std::span<double> RowOf(Matrix& matrix, std::size_t size, std::size_t row) {
  return std::span(matrix).subspan(row * size, size);
}

void SubtractScaled(double factor, std::span<const double> row, std::span<double> from) {
  for (std::size_t i = 0; i < from.size(); ++i) from[i] -= factor * row[i];
}

/// Makes `right` the solution X of left·X = right: elimination with the largest pivots, whole rows
/// at a time.
void Solve(Matrix& left, Matrix& right, std::size_t size, const std::function<void()>& poll) {
  for (std::size_t pivot = 0; pivot < size; ++pivot) {
    poll();
    std::size_t largest = pivot;
    for (std::size_t row = pivot + 1; row < size; ++row) {
      if (std::abs(left[row * size + pivot]) > std::abs(left[largest * size + pivot])) {
        largest = row;
      }
    }
    if (largest != pivot) {
      for (std::size_t i = 0; i < size; ++i) {
        std::swap(left[pivot * size + i], left[largest * size + i]);
        std::swap(right[pivot * size + i], right[largest * size + i]);
      }
    }
    for (std::size_t row = pivot + 1; row < size; ++row) {
      const double factor = left[row * size + pivot] / left[pivot * size + pivot];
      if (factor == 0) continue;
      SubtractScaled(factor, RowOf(left, size, pivot).subspan(pivot),
                     RowOf(left, size, row).subspan(pivot));
      SubtractScaled(factor, RowOf(right, size, pivot), RowOf(right, size, row));
    }
  }
  for (std::size_t row = size; row-- > 0;) {
    poll();
    for (std::size_t known = row + 1; known < size; ++known) {
      SubtractScaled(left[row * size + known], RowOf(right, size, known), RowOf(right, size, row));
    }
    for (double& value : RowOf(right, size, row)) value /= left[row * size + row];
  }
}

}  // namespace

std::vector<double> Cayley(std::span<const double> skew, std::size_t size,
                           const std::function<void()>& poll) {
  Matrix left(size * size);
  Matrix right(size * size);
  for (std::size_t i = 0; i < size * size; ++i) {
    const double one = i % (size + 1) == 0 ? 1 : 0;
    left[i] = one - skew[i];
    right[i] = one + skew[i];
  }
  Solve(left, right, size, poll);
  return right;
}

std::vector<float> StoredRotations(const AdapterValues& values, std::size_t size,
                                   std::uint64_t rows) {
  const bool ready = values.Has(AdapterRole::kRotated);
  const std::vector<float>& stored =
      values.values.at(ready ? AdapterRole::kRotated : AdapterRole::kRotation);
  const std::size_t block = size * size;
  std::vector<double> skew(stored.begin(), stored.end());
  if (!ready) {
    double squares = 0;
    for (std::size_t i = 0; i < skew.size(); ++i) {
      const std::size_t in_block = i % block;
      const std::size_t mirrored = i - in_block + in_block % size * size + in_block / size;
      skew[i] = static_cast<double>(stored[i]) - static_cast<double>(stored[mirrored]);
      squares += skew[i] * skew[i];
    }
    const double norm = std::sqrt(squares) + 1e-8;
    const double limit = values.alpha.value_or(0) * static_cast<double>(rows);
    if (limit > 0 && norm > limit) {
      for (double& value : skew) value *= limit / norm;
    }
  }
  std::vector<float> rotations(skew.size());
  for (std::size_t first = 0; first < skew.size(); first += block) {
    std::vector<double> rotation(skew.begin() + static_cast<std::ptrdiff_t>(first),
                                 skew.begin() + static_cast<std::ptrdiff_t>(first + block));
    if (!ready) rotation = Cayley(rotation, size, values.poll);
    for (std::size_t i = 0; i < block; ++i) {
      rotations[first + i] = static_cast<float>(rotation[i] - (i % (size + 1) == 0 ? 1 : 0));
    }
  }
  return rotations;
}

std::uint64_t RotationBytes(std::uint64_t elements, std::uint64_t size) {
  // All of them in both precisions; a block, and what its equations are solved in.
  return elements * (sizeof(double) + sizeof(float)) + 3 * size * size * sizeof(double);
}

std::vector<double> CayleyNeumann(std::span<const double> skew, std::size_t size, int terms,
                                  const std::function<void()>& poll) {
  Matrix sum(size * size);
  for (std::size_t i = 0; i < size; ++i) sum[i * (size + 1)] = 1;
  Matrix power(skew.begin(), skew.end());
  // PEFT's three terms are four, and its two end with a whole one.
  const int last = terms == 3 ? 3 : terms - 1;
  for (int term = 1; term <= last; ++term) {
    const double factor = term < last || terms == 2 ? 2 : 1;
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += factor * power[i];
    Matrix next(size * size);
    for (std::size_t row = 0; row < size; ++row) {
      poll();
      for (std::size_t k = 0; k < size; ++k) {
        SubtractScaled(-power[row * size + k], skew.subspan(k * size, size),
                       RowOf(next, size, row));
      }
    }
    power = std::move(next);
  }
  return sum;
}

}  // namespace weightsmith::internal
