#include "merge/program/truncation.h"

#include <algorithm>
#include <cmath>

#include "merge/program/singular.h"

namespace weightsmith::internal {
namespace {

void KeepLargestRanks(TensorInputs in, const Shape& shape, std::span<const double> numbers,
                      std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, poll, told)) {
    std::ranges::copy(in[0], out.begin());
    return;
  }
  const MatrixSize size = MatrixSizeOf(shape);
  const std::size_t ranks = KeptRanks(shape, numbers[0], numbers[1]);
  if (ranks == 0) {
    std::ranges::fill(out, 0.0f);
  } else if (ranks == size.smaller()) {
    std::ranges::copy(in[0], out.begin());
  } else {
    const Matrix whole = MatrixOf(in[0], size, poll);
    Round(Compose(LargestSingular(whole, ranks, poll), poll), out, poll);
  }
}

void KeepLargestShare(TensorInputs in, const Shape& shape, std::span<const double> numbers,
                      std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, poll, told)) {
    std::ranges::copy(in[0], out.begin());
    return;
  }
  Singular parts = DecomposeSingular(MatrixOf(in[0], MatrixSizeOf(shape), poll), poll);
  double all = 0;
  for (const double value : parts.values) all += value;
  std::size_t kept = 0;
  double sum = 0;
  while (kept < parts.values.size() && (kept == 0 || sum < numbers[0] * all)) {
    sum += parts.values[kept++];
  }
  told.Say(0, static_cast<double>(kept));
  told.Say(1, static_cast<double>(MatrixSizeOf(shape).smaller()));
  parts.values.resize(kept);
  parts.left = FirstRows(parts.left, kept, poll);
  parts.right = FirstRows(parts.right, kept, poll);
  for (double& value : parts.values) value *= all / sum;
  Round(Compose(parts, poll), out, poll);
}

std::uint64_t TruncationBytes(const Shape& shape, std::size_t /*inputs*/,
                              std::span<const double> /*numbers*/) {
  if (shape.size() < 2) return 0;
  const MatrixSize size = MatrixSizeOf(shape);
  // The matrix and its parts, while they are composed, which takes less than decomposing does.
  return 2 * BytesOfMatrix(size.rows, size.columns) +
         BytesOfMatrix(size.smaller(), size.smaller()) + SingularBytes(size.rows, size.columns);
}

std::uint64_t TruncationBytesOfPart(const Shape& shape, std::size_t /*inputs*/,
                                    std::span<const double> /*numbers*/) {
  if (shape.size() < 2) return 0;
  const MatrixSize size = MatrixSizeOf(shape);
  return SingularBytesOfPart(size.rows, size.columns);
}

}  // namespace

std::size_t KeptRanks(const Shape& shape, double rank, double ratio) {
  if (shape.size() < 2) return 0;
  const auto all = static_cast<double>(MatrixSizeOf(shape).smaller());
  const double wanted = std::isnan(rank) ? std::rint(ratio * all) : std::rint(rank);
  return static_cast<std::size_t>(std::clamp(wanted, 0.0, all));
}

const TensorFunction& LargestRanks() {
  static constexpr TensorFunction function{.name = "largest_ranks",
                                           .compute = KeepLargestRanks,
                                           .bytes = TruncationBytes,
                                           .bytes_of_part = TruncationBytesOfPart};
  return function;
}

const TensorFunction& LargestShare() {
  static constexpr TensorFunction function{.name = "largest_share",
                                           .compute = KeepLargestShare,
                                           .bytes = TruncationBytes,
                                           .bytes_of_part = TruncationBytesOfPart};
  return function;
}

}  // namespace weightsmith::internal
