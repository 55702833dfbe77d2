#include "merge/program/task_matrices.h"

#include <algorithm>

#include "merge/program/singular.h"
#include "merge/program/subspaces.h"

namespace weightsmith::internal {
namespace {

/// REQUIRES: the poll outlives it.
TaskMatrix MatrixOfTask(TensorInputs in, MatrixSize size, const Poll& poll) {
  return [in, size, &poll](std::size_t task) { return MatrixOf(in[task], size, poll); };
}

void MergeVectors(TensorInputs in, const Shape& shape, std::span<const double> /*numbers*/,
                  std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, poll, told, in.size())) return Average(in, out, poll);
  const MatrixSize size = MatrixSizeOf(shape);
  const TaskMatrix task = MatrixOfTask(in, size, poll);
  Round(MergeTaskSingularVectors(in.size(), size, task, poll, told), out, poll);
}

void MergeIsotropic(TensorInputs in, const Shape& shape, std::span<const double> numbers,
                    std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, poll, told)) {
    poll.ForRanges(out.size(), [&](std::size_t first, std::size_t count) {
      for (std::size_t i = first; i < first + count; ++i) {
        out[i] = static_cast<float>(in[0][i] / numbers[0]);
      }
    });
    return;
  }
  Round(MakeIsotropic(MatrixOf(in[0], MatrixSizeOf(shape), poll), poll, told), out, poll);
}

void MergeSubspaces(TensorInputs in, const Shape& shape, std::span<const double> numbers,
                    std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, poll, told)) return Average(in, out, poll);
  const MatrixSize size = MatrixSizeOf(shape);
  const TaskMatrix task = MatrixOfTask(in, size, poll);
  Round(MergeCommonAndOwn(in.size(), size, task, numbers[0], poll, told), out, poll);
}

void MergeCore(TensorInputs in, const Shape& shape, std::span<const double> numbers,
               std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, poll, told)) return Average(in, out, poll);
  const MatrixSize size = MatrixSizeOf(shape);
  const auto rank = static_cast<std::size_t>(numbers[0]);
  const auto merge = static_cast<CoreMerge>(static_cast<int>(numbers[1]));
  const TaskMatrix task = MatrixOfTask(in, size, poll);
  Round(MergeInCore(in.size(), size, task, rank, merge, poll, told), out, poll);
}

void Calibrate(TensorInputs in, const Shape& shape, std::span<const double> numbers,
               std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, poll, told)) {
    std::ranges::copy(in[0], out.begin());
    return;
  }
  const MatrixSize size = MatrixSizeOf(shape);
  Singular merged = DecomposeSingular(MatrixOf(in[0], size, poll), poll);
  const TensorInputs tasks = in.subspan(1);
  std::vector<double> shares(merged.values.size(), 0.0);
  for (const std::span<const float> task : tasks) {
    // What the task has in each direction of the merge's left side.
    const Matrix responses = Multiply(merged.left, MatrixOf(task, size, poll), poll);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      poll();
      const double square = Dot(responses.row(i), responses.row(i));
      const double along = merged.values[i] * Dot(merged.right.row(i), responses.row(i));
      shares[i] += std::max(numbers[0], square > 0 ? along / square : 0.0);
    }
  }
  double factors = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    merged.values[i] *= static_cast<double>(tasks.size()) / shares[i];
    factors += static_cast<double>(tasks.size()) / shares[i];
  }
  told.Say(0, factors / static_cast<double>(shares.size()));
  Round(Compose(merged, poll), out, poll);
}

/// A matrix and its parts, while they are composed, which takes less than decomposing does.
std::uint64_t SpectrumBytes(const Shape& shape, std::size_t /*inputs*/,
                            std::span<const double> /*numbers*/) {
  if (shape.size() < 2) return 0;
  const MatrixSize size = MatrixSizeOf(shape);
  return 2 * BytesOfMatrix(size.rows, size.columns) +
         BytesOfMatrix(size.smaller(), size.smaller()) + SingularBytes(size.rows, size.columns);
}

std::uint64_t TaskMatricesBytes(const Shape& shape, std::size_t inputs,
                                std::span<const double> /*numbers*/) {
  return shape.size() < 2 ? 0 : SubspaceBytes(MatrixSizeOf(shape), inputs);
}

std::uint64_t TaskMatricesBytesOfPart(const Shape& shape, std::size_t inputs,
                                      std::span<const double> /*numbers*/) {
  return shape.size() < 2 ? 0 : SubspaceBytesOfPart(MatrixSizeOf(shape), inputs);
}

/// With what each task keeps at full length.
std::uint64_t CoreBytes(const Shape& shape, std::size_t inputs, std::span<const double> numbers) {
  if (shape.size() < 2) return 0;
  const MatrixSize size = MatrixSizeOf(shape);
  const std::uint64_t each =
      std::min<std::uint64_t>(static_cast<std::uint64_t>(numbers[0]), size.smaller());
  const std::uint64_t all = inputs * each;
  const MatrixSize inside{std::min<std::size_t>(size.rows, all),
                          std::min<std::size_t>(size.columns, all)};
  // The tasks' directions, stacked and made orthogonal; a task as it is decomposed, or the result
  // and what is merged inside.
  return BytesOfNumbers(4 * all * (size.rows + size.columns + all)) +
         BytesOfMatrix(size.rows, size.columns) +
         std::max(SingularBytes(size.rows, size.columns), SubspaceBytes(inside, inputs));
}

std::uint64_t CoreBytesOfPart(const Shape& shape, std::size_t inputs,
                              std::span<const double> numbers) {
  if (shape.size() < 2) return 0;
  const MatrixSize size = MatrixSizeOf(shape);
  const std::uint64_t each =
      std::min<std::uint64_t>(static_cast<std::uint64_t>(numbers[0]), size.smaller());
  const std::uint64_t directions = inputs * each;
  return std::max(SubspaceBytesOfPart(size, inputs), SingularBytesOfPart(directions, directions));
}

}  // namespace

const TensorFunction& TaskSingularVectors() {
  static constexpr TensorFunction function{.name = "task_singular_vectors",
                                           .compute = MergeVectors,
                                           .bytes = TaskMatricesBytes,
                                           .bytes_of_part = TaskMatricesBytesOfPart};
  return function;
}

const TensorFunction& IsotropicSum() {
  static constexpr TensorFunction function{.name = "isotropic_sum",
                                           .compute = MergeIsotropic,
                                           .bytes = SpectrumBytes,
                                           .bytes_of_part = TaskMatricesBytesOfPart};
  return function;
}

const TensorFunction& CommonAndOwnSubspaces() {
  static constexpr TensorFunction function{.name = "common_and_own_subspaces",
                                           .compute = MergeSubspaces,
                                           .bytes = TaskMatricesBytes,
                                           .bytes_of_part = TaskMatricesBytesOfPart};
  return function;
}

const TensorFunction& CoreSpace() {
  static constexpr TensorFunction function{.name = "core_space",
                                           .compute = MergeCore,
                                           .bytes = CoreBytes,
                                           .bytes_of_part = CoreBytesOfPart};
  return function;
}

const TensorFunction& CalibratedSpectrum() {
  static constexpr TensorFunction function{.name = "calibrated_spectrum",
                                           .compute = Calibrate,
                                           .bytes = SpectrumBytes,
                                           .bytes_of_part = TaskMatricesBytesOfPart};
  return function;
}

}  // namespace weightsmith::internal
