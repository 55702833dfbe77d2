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

void MergeVectors(TensorInputs in, const Shape& shape, const NoParameters& /*none*/,
                  std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, poll, told, in.size())) return Average(in, out, poll);
  const MatrixSize size = MatrixSizeOf(shape);
  const TaskMatrix task = MatrixOfTask(in, size, poll);
  Round(MergeTaskSingularVectors(in.size(), size, task, poll, told), out, poll);
}

void MergeIsotropic(TensorInputs in, const Shape& shape, const SumOfTasks& sum,
                    std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, poll, told)) {
    const auto tasks = static_cast<double>(sum.tasks);
    poll.ForRanges(out.size(), [&](std::size_t first, std::size_t count) {
      for (std::size_t i = first; i < first + count; ++i) {
        out[i] = static_cast<float>(in[0][i] / tasks);
      }
    });
    return;
  }
  Round(MakeIsotropic(MatrixOf(in[0], MatrixSizeOf(shape), poll), poll, told), out, poll);
}

void MergeSubspaces(TensorInputs in, const Shape& shape, const CommonShare& share,
                    std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, poll, told)) return Average(in, out, poll);
  const MatrixSize size = MatrixSizeOf(shape);
  const TaskMatrix task = MatrixOfTask(in, size, poll);
  Round(MergeCommonAndOwn(in.size(), size, task, share.common, poll, told), out, poll);
}

void MergeCore(TensorInputs in, const Shape& shape, const CoreParameters& core,
               std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, poll, told)) return Average(in, out, poll);
  const MatrixSize size = MatrixSizeOf(shape);
  const TaskMatrix task = MatrixOfTask(in, size, poll);
  Round(MergeInCore(in.size(), size, task, core.rank, core.merge, poll, told), out, poll);
}

void Calibrate(TensorInputs in, const Shape& shape, const Calibration& calibration,
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
      shares[i] += std::max(calibration.least, square > 0 ? along / square : 0.0);
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
template <class Parameters>
std::uint64_t SpectrumBytes(const Shape& shape, std::size_t /*inputs*/,
                            const Parameters& /*given*/) {
  if (shape.size() < 2) return 0;
  const MatrixSize size = MatrixSizeOf(shape);
  return 2 * BytesOfMatrix(size.rows, size.columns) +
         BytesOfMatrix(size.smaller(), size.smaller()) + SingularBytes(size.rows, size.columns);
}

template <class Parameters>
std::uint64_t TaskMatricesBytes(const Shape& shape, std::size_t inputs,
                                const Parameters& /*given*/) {
  return shape.size() < 2 ? 0 : SubspaceBytes(MatrixSizeOf(shape), inputs);
}

template <class Parameters>
std::uint64_t TaskMatricesBytesOfPart(const Shape& shape, std::size_t inputs,
                                      const Parameters& /*given*/) {
  return shape.size() < 2 ? 0 : SubspaceBytesOfPart(MatrixSizeOf(shape), inputs);
}

/// With what each task keeps at full length.
std::uint64_t CoreBytes(const Shape& shape, std::size_t inputs, const CoreParameters& core) {
  if (shape.size() < 2) return 0;
  const MatrixSize size = MatrixSizeOf(shape);
  const std::uint64_t each = std::min(core.rank, size.smaller());
  const std::uint64_t all = inputs * each;
  const MatrixSize inside{std::min<std::size_t>(size.rows, all),
                          std::min<std::size_t>(size.columns, all)};
  // The tasks' directions, stacked and made orthogonal; a task as it is decomposed, or the result
  // and what is merged inside.
  return BytesOfNumbers(4 * all * (size.rows + size.columns + all)) +
         BytesOfMatrix(size.rows, size.columns) +
         std::max(SingularBytes(size.rows, size.columns), SubspaceBytes(inside, inputs));
}

std::uint64_t CoreBytesOfPart(const Shape& shape, std::size_t inputs, const CoreParameters& core) {
  if (shape.size() < 2) return 0;
  const MatrixSize size = MatrixSizeOf(shape);
  const std::uint64_t each = std::min(core.rank, size.smaller());
  const std::uint64_t directions = inputs * each;
  return std::max(SubspaceBytesOfPart(size, inputs), SingularBytesOfPart(directions, directions));
}

}  // namespace

const TensorFunction<NoParameters>& TaskSingularVectors() {
  static constexpr TensorFunction<NoParameters> function{.name = "task_singular_vectors",
                                                         .compute = MergeVectors,
                                                         .bytes = TaskMatricesBytes,
                                                         .bytes_of_part = TaskMatricesBytesOfPart};
  return function;
}

const TensorFunction<SumOfTasks>& IsotropicSum() {
  static constexpr TensorFunction<SumOfTasks> function{.name = "isotropic_sum",
                                                       .compute = MergeIsotropic,
                                                       .bytes = SpectrumBytes,
                                                       .bytes_of_part = TaskMatricesBytesOfPart};
  return function;
}

const TensorFunction<CommonShare>& CommonAndOwnSubspaces() {
  static constexpr TensorFunction<CommonShare> function{.name = "common_and_own_subspaces",
                                                        .compute = MergeSubspaces,
                                                        .bytes = TaskMatricesBytes,
                                                        .bytes_of_part = TaskMatricesBytesOfPart};
  return function;
}

const TensorFunction<CoreParameters>& CoreSpace() {
  static constexpr TensorFunction<CoreParameters> function{.name = "core_space",
                                                           .compute = MergeCore,
                                                           .bytes = CoreBytes,
                                                           .bytes_of_part = CoreBytesOfPart};
  return function;
}

const TensorFunction<Calibration>& CalibratedSpectrum() {
  static constexpr TensorFunction<Calibration> function{.name = "calibrated_spectrum",
                                                        .compute = Calibrate,
                                                        .bytes = SpectrumBytes,
                                                        .bytes_of_part = TaskMatricesBytesOfPart};
  return function;
}

}  // namespace weightsmith::internal
