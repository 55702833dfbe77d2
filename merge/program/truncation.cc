#include "merge/program/truncation.h"

#include <algorithm>
#include <cmath>

#include "merge/program/singular.h"

namespace weightsmith::internal {
namespace {

void KeepLargestRanks(TensorInputs in, const Shape& shape, const RankLimit& limit,
                      std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, poll, told)) {
    std::ranges::copy(in[0], out.begin());
    return;
  }
  const MatrixSize size = MatrixSizeOf(shape);
  const std::size_t ranks = KeptRanks(shape, limit);
  if (ranks == 0) {
    std::ranges::fill(out, 0.0f);
  } else if (ranks == size.smaller()) {
    std::ranges::copy(in[0], out.begin());
  } else {
    const Matrix whole = MatrixOf(in[0], size, poll);
    Round(Compose(LargestSingular(whole, ranks, poll), poll), out, poll);
  }
}

void KeepLargestShare(TensorInputs in, const Shape& shape, const SumLimit& limit,
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
  while (kept < parts.values.size() && (kept == 0 || sum < limit.share * all)) {
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

template <class Limit>
std::uint64_t TruncationBytes(const Shape& shape, std::size_t /*inputs*/, const Limit& /*limit*/) {
  if (shape.size() < 2) return 0;
  const MatrixSize size = MatrixSizeOf(shape);
  // The matrix and its parts, while they are composed, which takes less than decomposing does.
  return 2 * BytesOfMatrix(size.rows, size.columns) +
         BytesOfMatrix(size.smaller(), size.smaller()) + SingularBytes(size.rows, size.columns);
}

template <class Limit>
std::uint64_t TruncationBytesOfPart(const Shape& shape, std::size_t /*inputs*/,
                                    const Limit& /*limit*/) {
  if (shape.size() < 2) return 0;
  const MatrixSize size = MatrixSizeOf(shape);
  return SingularBytesOfPart(size.rows, size.columns);
}

}  // namespace

std::size_t KeptRanks(const Shape& shape, const RankLimit& limit) {
  if (shape.size() < 2) return 0;
  const auto all = static_cast<double>(MatrixSizeOf(shape).smaller());
  const double wanted = std::rint(limit.rank ? *limit.rank : *limit.ratio * all);
  return static_cast<std::size_t>(std::clamp(wanted, 0.0, all));
}

const TensorFunction<RankLimit>& LargestRanks() {
  static constexpr TensorFunction<RankLimit> function{.name = "largest_ranks",
                                                      .compute = KeepLargestRanks,
                                                      .bytes = TruncationBytes,
                                                      .bytes_of_part = TruncationBytesOfPart};
  return function;
}

const TensorFunction<SumLimit>& LargestShare() {
  static constexpr TensorFunction<SumLimit> function{.name = "largest_share",
                                                     .compute = KeepLargestShare,
                                                     .bytes = TruncationBytes,
                                                     .bytes_of_part = TruncationBytesOfPart};
  return function;
}

}  // namespace weightsmith::internal
