#include "merge/program/subspaces.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "merge/program/singular.h"

namespace weightsmith::internal {
namespace {

/// Directions of several matrices, one below the other.
class DirectionStack {
 public:
  explicit DirectionStack(MatrixSize size) : size_(size) {}

  void Add(Singular parts) {
    values_.insert(values_.end(), parts.values.begin(), parts.values.end());
    left_.push_back(std::move(parts.left));
    right_.push_back(std::move(parts.right));
  }

  std::vector<double>& values() { return values_; }
  double Sum() const { return std::accumulate(values_.begin(), values_.end(), 0.0); }
  Matrix Left(const Poll& poll) const {
    return left_.empty() ? Matrix(0, size_.rows) : Stacked(left_, poll);
  }
  Matrix Right(const Poll& poll) const {
    return right_.empty() ? Matrix(0, size_.columns) : Stacked(right_, poll);
  }

  /// What they make when vectors of a side are made orthogonal to each other, as near as that
  /// leaves them to what they were.
  Matrix Orthogonal(const Poll& poll) const {
    Matrix left = Polar(Left(poll), poll);
    for (std::size_t i = 0; i < left.rows; ++i) {
      poll();
      ScaleBy(values_[i], left.row(i));
    }
    left = Transposed(left, poll);
    return Multiply(left, Polar(Right(poll), poll), poll);
  }

 private:
  MatrixSize size_;
  std::vector<double> values_;
  std::vector<Matrix> left_;
  std::vector<Matrix> right_;
};

/// Leaves out what no more is left of than rounding leaves of numbers as large as `norm`.
void DropRounding(double norm, Singular& parts, const Poll& poll) {
  constexpr double kRounding = 1e-9;
  const auto is_none = [&](double value) { return value <= kRounding * norm; };
  const auto kept =
      static_cast<std::size_t>(std::ranges::find_if(parts.values, is_none) - parts.values.begin());
  parts.values.resize(kept);
  parts.left = FirstRows(parts.left, kept, poll);
  parts.right = FirstRows(parts.right, kept, poll);
}

Matrix SumOfMatrices(std::size_t tasks, MatrixSize size, const TaskMatrix& task, const Poll& poll) {
  Matrix sum(size.rows, size.columns, poll);
  for (std::size_t t = 0; t < tasks; ++t) AddTo(sum, 1, task(t), poll);
  return sum;
}

}  // namespace

Matrix MergeTaskSingularVectors(std::size_t tasks, MatrixSize size, const TaskMatrix& task,
                                const Poll& poll, Told told) {
  const std::size_t each = std::max<std::size_t>(1, size.smaller() / tasks);
  DirectionStack stack(size);
  for (std::size_t t = 0; t < tasks; ++t) {
    const Matrix whole = task(t);
    Singular largest = LargestSingular(whole, each, poll);
    if (told.Wants(t)) {
      told.Say(t, Dot(largest.values, largest.values) / Dot(whole.values, whole.values));
    }
    stack.Add(std::move(largest));
  }
  return stack.Orthogonal(poll);
}

Matrix MakeIsotropic(const Matrix& sum, const Poll& poll, Told told) {
  Singular parts = DecomposeSingular(sum, poll);
  const double total = std::accumulate(parts.values.begin(), parts.values.end(), 0.0);
  const auto all = static_cast<double>(std::min(sum.rows, sum.columns));
  std::ranges::fill(parts.values, total / all);
  told.Say(0, total / all);
  told.Say(1, static_cast<double>(parts.values.size()));
  told.Say(2, all);
  return Compose(parts, poll);
}

Matrix MergeCommonAndOwn(std::size_t tasks, MatrixSize size, const TaskMatrix& task, double common,
                         const Poll& poll, Told told) {
  const std::size_t all = size.smaller();
  const auto wanted = static_cast<std::size_t>(std::trunc(static_cast<double>(all) * common));
  const double share = static_cast<double>(all - wanted) / static_cast<double>(tasks);
  const std::size_t own = std::min(static_cast<std::size_t>(std::rint(share)), all / tasks);
  Singular shared =
      LargestSingular(SumOfMatrices(tasks, size, task, poll), all - own * tasks, poll);
  DirectionStack stack(size);
  for (std::size_t t = 0; t < tasks && own > 0; ++t) {
    Matrix rest = task(t);
    const double norm = Norm(rest.values);
    const Matrix inside = Multiply(shared.left, rest, poll);
    AddTo(rest, -1, Multiply(Transposed(shared.left, poll), inside, poll), poll);
    Singular alone = LargestSingular(rest, own, poll);
    DropRounding(norm, alone, poll);
    stack.Add(std::move(alone));
  }
  told.Say(1, static_cast<double>(shared.values.size()));
  told.Say(2, static_cast<double>(all));
  stack.Add(std::move(shared));
  const double mean = stack.Sum() / static_cast<double>(all);
  told.Say(0, mean);
  std::ranges::fill(stack.values(), mean);
  return stack.Orthogonal(poll);
}

Matrix MergeInCore(std::size_t tasks, MatrixSize size, const TaskMatrix& task, std::size_t rank,
                   CoreMerge merge, const Poll& poll, Told told) {
  std::vector<Singular> parts;
  DirectionStack stack(size);
  for (std::size_t t = 0; t < tasks; ++t) {
    parts.push_back(LargestSingular(task(t), rank, poll));
    stack.Add(parts.back());
  }
  const Matrix left = OrthonormalRows(stack.Left(poll), poll);
  const Matrix right = OrthonormalRows(stack.Right(poll), poll);
  const MatrixSize inside{left.rows, right.rows};
  told.Say(0, static_cast<double>(inside.smaller()));
  told.Say(1, static_cast<double>(size.smaller()));
  if (inside.smaller() == 0) return Matrix(size.rows, size.columns);
  const TaskMatrix core = [&](std::size_t t) {
    const Singular aligned{.values = parts[t].values,
                           .left = MultiplyTransposed(parts[t].left, left, poll),
                           .right = MultiplyTransposed(parts[t].right, right, poll)};
    return Compose(aligned, poll);
  };
  Matrix merged;
  if (merge == CoreMerge::kTaskSingularVectors) {
    merged = MergeTaskSingularVectors(tasks, inside, core, poll);
  } else {
    merged = SumOfMatrices(tasks, inside, core, poll);
    if (merge == CoreMerge::kIsotropic) merged = MakeIsotropic(merged, poll);
  }
  return Multiply(Transposed(left, poll), Multiply(merged, right, poll), poll);
}

std::uint64_t SubspaceBytesOfPart(MatrixSize size, std::size_t tasks) {
  const std::uint64_t directions = std::max<std::uint64_t>(size.smaller(), tasks);
  return SingularBytesOfPart(directions, directions);
}

std::uint64_t SubspaceBytes(MatrixSize size, std::size_t tasks) {
  const std::uint64_t longer = std::max(size.rows, size.columns);
  const std::uint64_t directions = std::max<std::uint64_t>(size.smaller(), tasks);
  const std::uint64_t vectors =
      BytesOfMatrix(directions, size.rows) + BytesOfMatrix(directions, size.columns);
  // A task, what it has in directions that are common, and its parts beside those of the others.
  const std::uint64_t apart = BytesOfMatrix(size.rows, size.columns) +
                              BytesOfMatrix(directions, size.columns) +
                              SingularBytes(size.rows, size.columns);
  // One side of all of them, and the other while it is made orthogonal.
  const std::uint64_t together = BytesOfMatrix(directions, size.rows) +
                                 BytesOfMatrix(directions, longer) +
                                 SingularBytes(directions, longer);
  return vectors + std::max(apart, together);
}

}  // namespace weightsmith::internal
