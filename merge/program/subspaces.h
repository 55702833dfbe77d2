// Merging what fine-tunes changed in a matrix by its singular vectors.
#pragma once

#include <functional>

#include "merge/program/matrix.h"

namespace weightsmith::internal {

/// The matrix of a task; asked for once or twice each, so that not all are held.
using TaskMatrix = std::function<Matrix(std::size_t task)>;

/// The largest singular values and vectors of each task, as many of each as fit into the matrix
/// together, with vectors that are made orthogonal to those of other tasks. Tells of each task the
/// share of its squares that these make up. REQUIRES: all of `size`, one at least; likewise below.
Matrix MergeTaskSingularVectors(std::size_t tasks, MatrixSize size, const TaskMatrix& task,
                                const Poll& poll, Told told = {});

/// With all singular values replaced by their mean over as many as fit into the matrix. A direction
/// that has none stays without. Tells the mean, the directions that have it, and how many fit.
Matrix MakeIsotropic(const Matrix& sum, const Poll& poll, Told told = {});

/// The share `common` of the directions from the sum of all tasks, the others from what each task
/// has outside of these, as many from each; vectors made orthogonal, and one singular value for
/// all: the mean. Tells the mean, the directions from the sum, and how many fit.
Matrix MergeCommonAndOwn(std::size_t tasks, MatrixSize size, const TaskMatrix& task, double common,
                         const Poll& poll, Told told = {});

enum class CoreMerge { kTaskSingularVectors, kIsotropic, kSum };

/// What the `rank` largest directions of each task have in the space that these span together,
/// merged there. Tells the directions of that space, and how many fit into the matrix.
Matrix MergeInCore(std::size_t tasks, MatrixSize size, const TaskMatrix& task, std::size_t rank,
                   CoreMerge merge, const Poll& poll, Told told = {});

/// Bytes that any of them takes, at most, with its result and a matrix of a task.
std::uint64_t SubspaceBytes(MatrixSize size, std::size_t tasks);
/// Likewise, that each thread takes beside them in a part that it computes.
std::uint64_t SubspaceBytesOfPart(MatrixSize size, std::size_t tasks);

}  // namespace weightsmith::internal
