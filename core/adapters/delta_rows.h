// What an adapter's module adds to a weight, row by row of its matrix [out, in · kernel], so that
// no more than a row of it need exist at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/adapters/adapter_family.h"
#include "core/tensor.h"

namespace weightsmith {

/// The tensors of a module as f32, row-major.
struct AdapterValues {
  AdapterShapes shapes;
  std::map<AdapterRole, std::vector<float>> values;
  float scale = 1;  ///< alpha / rank

  bool Has(AdapterRole role) const { return shapes.contains(role); }
  /// A tensor as a matrix: its first axis, and all others together.
  struct Matrix {
    std::uint64_t rows = 0;
    std::uint64_t columns = 0;
    std::span<const float> values;

    std::span<const float> Row(std::uint64_t row) const {
      return values.subspan(row * columns, columns);
    }
  };
  Matrix Of(AdapterRole role) const;
};

class DeltaRows {
 public:
  virtual ~DeltaRows() = default;
  DeltaRows() = default;
  DeltaRows(const DeltaRows&) = delete;
  DeltaRows& operator=(const DeltaRows&) = delete;

  /// Fills `out` with a row of the difference. The same bits on every CPU: products and sums in
  /// f32, rounded one by one, the rank ascending. Any thread.
  virtual void Row(std::uint64_t row, std::span<float> out) const = 0;
};

/// Throws kMismatch, saying which, for shapes that do not make a difference of a weight of that
/// shape. REQUIRES: a whole form of the family.
using MakeDeltaRows = std::unique_ptr<DeltaRows> (*)(const AdapterValues& values,
                                                     const Shape& weight);

/// Throws kMismatch unless `rows` × `columns` is a weight of that shape as a matrix.
void ExpectMatrix(std::uint64_t rows, std::uint64_t columns, const Shape& weight);

/// The same, of two sizes inside a module that have to agree: "the rank of up".
void ExpectEqual(std::uint64_t found, std::uint64_t expected, std::string_view what);

/// Elements of a core [rank, rank, kernel] for each pair of ranks. Throws kMismatch for one that
/// has no ranks.
std::uint64_t KernelOf(const Shape& core);

/// A convolution with a core between its factors, [out, in · kernel]: factors of [rank, out] and
/// [rank, in], a core of [rank, rank, kernel]. Throws kMismatch for ranks that disagree.
std::vector<float> CoreProduct(const AdapterValues::Matrix& left,
                               const AdapterValues::Matrix& right,
                               const AdapterValues::Matrix& core, const Shape& shape);

/// out += factor · row.
void AddScaled(float factor, std::span<const float> row, std::span<float> out);

/// The product of two matrices, rank ascending: [rows, rank] · [rank, columns].
std::vector<float> Product(const AdapterValues::Matrix& left, const AdapterValues::Matrix& right);

}  // namespace weightsmith
