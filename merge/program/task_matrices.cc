#include "merge/program/task_matrices.h"

#include <algorithm>

#include "merge/program/singular.h"
#include "merge/program/subspaces.h"

namespace weightsmith::internal {
namespace {

TaskMatrix MatrixOfTask(TensorInputs in, MatrixSize size) {
  return [=](std::size_t task) { return MatrixOf(in[task], size); };
}

void MergeVectors(TensorInputs in, const Shape& shape, std::span<const double> /*numbers*/,
                  std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, told, in.size())) return Average(in, out);
  const MatrixSize size = MatrixSizeOf(shape);
  Round(MergeTaskSingularVectors(in.size(), size, MatrixOfTask(in, size), poll, told), out);
}

void MergeIsotropic(TensorInputs in, const Shape& shape, std::span<const double> numbers,
                    std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, told)) {
    std::ranges::transform(in[0], out.begin(),
                           [&](float value) { return static_cast<float>(value / numbers[0]); });
    return;
  }
  Round(MakeIsotropic(MatrixOf(in[0], MatrixSizeOf(shape)), poll, told), out);
}

void MergeSubspaces(TensorInputs in, const Shape& shape, std::span<const double> numbers,
                    std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, told)) return Average(in, out);
  const MatrixSize size = MatrixSizeOf(shape);
  Round(MergeCommonAndOwn(in.size(), size, MatrixOfTask(in, size), numbers[0], poll, told), out);
}

void MergeCore(TensorInputs in, const Shape& shape, std::span<const double> numbers,
               std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, told)) return Average(in, out);
  const MatrixSize size = MatrixSizeOf(shape);
  const auto rank = static_cast<std::size_t>(numbers[0]);
  const auto merge = static_cast<CoreMerge>(static_cast<int>(numbers[1]));
  Round(MergeInCore(in.size(), size, MatrixOfTask(in, size), rank, merge, poll, told), out);
}

void Calibrate(TensorInputs in, const Shape& shape, std::span<const double> numbers,
               std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, told)) {
    std::ranges::copy(in[0], out.begin());
    return;
  }
  const MatrixSize size = MatrixSizeOf(shape);
  Singular merged = DecomposeSingular(MatrixOf(in[0], size), poll);
  const TensorInputs tasks = in.subspan(1);
  std::vector<double> shares(merged.values.size(), 0.0);
  for (const std::span<const float> task : tasks) {
    // What the task has in each direction of the merge's left side.
    const Matrix responses = Multiply(merged.left, MatrixOf(task, size), poll);
    for (std::size_t i = 0; i < shares.size(); ++i) {
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
  Round(Compose(merged, poll), out);
}

std::uint64_t TaskMatricesBytes(const Shape& shape, std::size_t inputs,
                                std::span<const double> /*numbers*/) {
  return shape.size() < 2 ? 0 : SubspaceBytes(MatrixSizeOf(shape), inputs);
}

/// With what each task keeps at full length.
std::uint64_t CoreBytes(const Shape& shape, std::size_t inputs, std::span<const double> numbers) {
  if (shape.size() < 2) return 0;
  const MatrixSize size = MatrixSizeOf(shape);
  const std::uint64_t each =
      std::min<std::uint64_t>(static_cast<std::uint64_t>(numbers[0]), size.smaller());
  return SubspaceBytes(size, inputs) +
         BytesOfNumbers(4 * inputs * each * (size.rows + size.columns + inputs * each));
}

}  // namespace

const TensorFunction& TaskSingularVectors() {
  static constexpr TensorFunction function{
      .name = "task_singular_vectors", .compute = MergeVectors, .bytes = TaskMatricesBytes};
  return function;
}

const TensorFunction& IsotropicSum() {
  static constexpr TensorFunction function{
      .name = "isotropic_sum", .compute = MergeIsotropic, .bytes = TaskMatricesBytes};
  return function;
}

const TensorFunction& CommonAndOwnSubspaces() {
  static constexpr TensorFunction function{
      .name = "common_and_own_subspaces", .compute = MergeSubspaces, .bytes = TaskMatricesBytes};
  return function;
}

const TensorFunction& CoreSpace() {
  static constexpr TensorFunction function{
      .name = "core_space", .compute = MergeCore, .bytes = CoreBytes};
  return function;
}

const TensorFunction& CalibratedSpectrum() {
  static constexpr TensorFunction function{
      .name = "calibrated_spectrum", .compute = Calibrate, .bytes = TaskMatricesBytes};
  return function;
}

}  // namespace weightsmith::internal
