// What an adapter's module adds to a weight, any part of it at a time, so that no more than a few
// rows of it need exist.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/tensor/tensor.h"
#include "merge/adapters/adapter_family.h"
#include "merge/adapters/low_rank.h"
#include "merge/adapters/peft_config.h"

namespace weightsmith::internal {

/// The tensors of a module as f32, row-major, and the numbers beside them.
struct AdapterValues {
  AdapterShapes shapes{};
  std::map<AdapterRole, std::vector<float>> values{};
  float scale = 1;     ///< alpha / rank
  float strength = 1;  ///< used by families that are not linear in it
  std::optional<double> alpha{};
  PeftNumbers peft{};
  /// Called now and then by what takes long; throws to end it.
  std::function<void()> poll = [] {};

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

/// The weight that a module changes; its values where the family reads them.
struct AdapterWeight {
  Shape shape;
  std::span<const float> values;  ///< row-major; empty: not read

  MatrixSize size() const { return SizeAsMatrix(shape); }
  std::span<const float> Row(std::uint64_t row) const {
    return values.subspan(row * size().columns, size().columns);
  }
};

class DeltaRows {
 public:
  explicit DeltaRows(std::uint64_t columns) : columns_(columns) {}
  virtual ~DeltaRows() = default;
  DeltaRows(const DeltaRows&) = delete;
  DeltaRows& operator=(const DeltaRows&) = delete;

  std::uint64_t columns() const { return columns_; }
  /// Fills `out` with elements [first, first + out.size()) of the difference as a matrix [out, in ·
  /// kernel]. The same bits on every CPU and however it is divided. Any thread.
  virtual void Fill(std::uint64_t first, std::span<float> out) const = 0;

 private:
  std::uint64_t columns_;
};

/// One whose rows are computed whole.
class RowByRow : public DeltaRows {
 public:
  using DeltaRows::DeltaRows;
  void Fill(std::uint64_t first, std::span<float> out) const final;

 protected:
  /// `out` has columns() elements.
  virtual void Row(std::uint64_t row, std::span<float> out) const = 0;
};

/// The product of two factors.
class LowRankRows final : public DeltaRows {
 public:
  explicit LowRankRows(LowRank product)
      : DeltaRows(product.columns()), product_(std::move(product)) {}
  void Fill(std::uint64_t first, std::span<float> out) const override { product_.Fill(first, out); }

 private:
  LowRank product_;
};

/// One that lies in memory.
class StoredRows final : public DeltaRows {
 public:
  StoredRows(std::uint64_t columns, std::vector<float> values)
      : DeltaRows(columns), values_(std::move(values)) {}
  void Fill(std::uint64_t first, std::span<float> out) const override;

 private:
  std::vector<float> values_;
};

/// What two sizes inside a module have to agree in: "the rank of up". Throws kMismatch.
void ExpectEqual(std::uint64_t found, std::uint64_t expected, std::string_view what);

/// The product of two sizes. Throws kMismatch where it has no 64 bits: such a module is for no
/// weight.
std::uint64_t Times(std::uint64_t a, std::uint64_t b);

/// Elements of a core [rank, rank, kernel] for each pair of ranks. Throws kMismatch for one that
/// has no ranks.
std::uint64_t KernelOf(const Shape& core);

/// A convolution with a core between its factors, [out, in · kernel]: factors of [rank, out] and
/// [rank, in], a core of [rank, rank, kernel].
std::vector<float> CoreProduct(const AdapterValues::Matrix& left,
                               const AdapterValues::Matrix& right,
                               const AdapterValues::Matrix& core, const Shape& shape);

/// A core [up rank, down rank, kernel] taken into the second factor [down rank, in]: [up rank, in ·
/// kernel].
std::vector<float> WithCore(const AdapterValues::Matrix& down, const AdapterValues::Matrix& core,
                            const Shape& shape);

/// out += factor · row.
void AddScaled(float factor, std::span<const float> row, std::span<float> out);

/// The product of two matrices, rank ascending: [rows, rank] · [rank, columns].
std::vector<float> MatrixProduct(const AdapterValues::Matrix& left,
                                 const AdapterValues::Matrix& right);

}  // namespace weightsmith::internal
