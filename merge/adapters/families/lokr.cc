// LoKr: the Kronecker product of two matrices, each whole or in two factors.

#include "merge/adapters/adapter_family.h"
#include "merge/adapters/delta_rows.h"

namespace weightsmith::internal::adapter_families {
namespace {

/// Of the factors; 1 where both matrices are whole.
std::uint64_t RankOfLokr(const AdapterShapes& shapes) {
  for (const AdapterRole role : {AdapterRole::kLokrW2B, AdapterRole::kLokrW1B}) {
    if (shapes.contains(role)) return AxisOf(shapes, role, 0);
  }
  return 1;
}

/// LyCORIS and its readers take no notice of the alpha of two whole matrices, and other trainers
/// write anything there.
bool IsScaledLokr(const AdapterShapes& shapes) {
  return shapes.contains(AdapterRole::kLokrW2B) || shapes.contains(AdapterRole::kLokrW1B);
}

/// A matrix that is whole or the product of two factors; the second may be a convolution with a
/// core [rank, rank, kernel], whose factors are [rank, out] and [rank, in].
struct Part {
  std::vector<float> values;
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::uint64_t kernel = 1;
};

Part Whole(const AdapterValues& values, AdapterRole role) {
  const Shape& shape = values.shapes.at(role);
  const AdapterValues::Matrix matrix = values.Of(role);
  return {{matrix.values.begin(), matrix.values.end()},
          shape[0],
          shape[1],
          shape[1] == 0 ? 0 : matrix.columns / shape[1]};
}

Part First(const AdapterValues& values) {
  if (values.Has(AdapterRole::kLokrW1)) {
    const AdapterValues::Matrix matrix = values.Of(AdapterRole::kLokrW1);
    return {{matrix.values.begin(), matrix.values.end()}, matrix.rows, matrix.columns};
  }
  const AdapterValues::Matrix a = values.Of(AdapterRole::kLokrW1A);
  const AdapterValues::Matrix b = values.Of(AdapterRole::kLokrW1B);
  return {MatrixProduct(a, b), a.rows, b.columns};
}

Part Second(const AdapterValues& values) {
  if (values.Has(AdapterRole::kLokrW2)) return Whole(values, AdapterRole::kLokrW2);
  const AdapterValues::Matrix a = values.Of(AdapterRole::kLokrW2A);
  const AdapterValues::Matrix b = values.Of(AdapterRole::kLokrW2B);
  if (!values.Has(AdapterRole::kLokrT2)) {
    const Shape& shape = values.shapes.at(AdapterRole::kLokrW2B);
    const std::uint64_t columns = shape.size() < 2 ? 1 : shape[1];
    return {MatrixProduct(a, b), a.rows, columns, columns == 0 ? 0 : b.columns / columns};
  }
  const Shape& core = values.shapes.at(AdapterRole::kLokrT2);
  return {CoreProduct(a, b, values.Of(AdapterRole::kLokrT2), core), a.columns, b.columns,
          KernelOf(core)};
}

MatrixSize SizeOfFirst(const AdapterShapes& shapes) {
  if (shapes.contains(AdapterRole::kLokrW1)) return SizeAsMatrix(shapes.at(AdapterRole::kLokrW1));
  const MatrixSize a = SizeAsMatrix(shapes.at(AdapterRole::kLokrW1A));
  const MatrixSize b = SizeAsMatrix(shapes.at(AdapterRole::kLokrW1B));
  ExpectEqual(a.columns, b.rows, "the rank of lokr_w1_a");
  return {a.rows, b.columns};
}

MatrixSize SizeOfSecond(const AdapterShapes& shapes) {
  if (shapes.contains(AdapterRole::kLokrW2)) return SizeAsMatrix(shapes.at(AdapterRole::kLokrW2));
  const MatrixSize a = SizeAsMatrix(shapes.at(AdapterRole::kLokrW2A));
  const MatrixSize b = SizeAsMatrix(shapes.at(AdapterRole::kLokrW2B));
  if (!shapes.contains(AdapterRole::kLokrT2)) {
    ExpectEqual(a.columns, b.rows, "the rank of lokr_w2_a");
    return {a.rows, b.columns};
  }
  const Shape& core = shapes.at(AdapterRole::kLokrT2);
  const std::uint64_t kernel = KernelOf(core);
  ExpectEqual(a.rows, core[0], "the rank of lokr_w2_a");
  ExpectEqual(b.rows, core[1], "the rank of lokr_w2_b");
  return {a.columns, Times(b.columns, kernel)};
}

MatrixSize SizeOfLokr(const AdapterShapes& shapes) {
  for (const AdapterRole role : {AdapterRole::kLokrW1, AdapterRole::kLokrW2}) {
    if (shapes.contains(role) && shapes.at(role).size() < 2) {
      ExpectEqual(shapes.at(role).size(), 2, "the number of axes of a matrix");
    }
  }
  const auto twice = [&](AdapterRole whole, AdapterRole factor) {
    return shapes.count(whole) + shapes.count(factor);
  };
  ExpectEqual(twice(AdapterRole::kLokrW1, AdapterRole::kLokrW1A), 1,
              "the number of first matrices");
  ExpectEqual(twice(AdapterRole::kLokrW2, AdapterRole::kLokrW2A), 1,
              "the number of second matrices");
  const MatrixSize first = SizeOfFirst(shapes);
  const MatrixSize second = SizeOfSecond(shapes);
  return {Times(first.rows, second.rows), Times(first.columns, second.columns)};
}

class LokrRows final : public RowByRow {
 public:
  explicit LokrRows(const AdapterValues& values)
      : RowByRow(SizeOfLokr(values.shapes).columns),
        scale_(values.scale),
        first_(First(values)),
        second_(Second(values)) {}

 protected:
  void Row(std::uint64_t row, std::span<float> out) const override {
    const std::uint64_t width = second_.columns * second_.kernel;
    const auto w1 =
        std::span(first_.values).subspan(row / second_.rows * first_.columns, first_.columns);
    const auto w2 = std::span(second_.values).subspan(row % second_.rows * width, width);
    for (std::uint64_t b = 0; b < first_.columns; ++b) {
      for (std::uint64_t i = 0; i < width; ++i) out[b * width + i] = scale_ * (w1[b] * w2[i]);
    }
  }

 private:
  float scale_;
  Part first_;
  Part second_;
};

std::unique_ptr<DeltaRows> RowsOfLokr(const AdapterValues& values, const AdapterWeight&) {
  return std::make_unique<LokrRows>(values);
}

std::uint64_t BytesOfLokr(const AdapterShapes& shapes, const MatrixSize&) {
  const MatrixSize first = SizeOfFirst(shapes);
  const MatrixSize second = SizeOfSecond(shapes);
  return (first.rows * first.columns + second.rows * second.columns) * sizeof(float);
}

}  // namespace

const AdapterFamily& lokr() {
  using enum AdapterRole;
  static const AdapterFamily family = {
      .id = "lokr",
      .title = "LoKr",
      .source = "LyCORIS, arXiv:2309.14859",
      .formula = "W + s·(W1 ⊗ W2)",
      .precedence = 30,
      .known_by = {kLokrW1, kLokrW1A, kLokrW1B, kLokrW2, kLokrW2A, kLokrW2B, kLokrT2},
      .forms = {{kLokrW1, kLokrW2},
                {kLokrW1, kLokrW2A, kLokrW2B},
                {kLokrW1A, kLokrW1B, kLokrW2},
                {kLokrW1A, kLokrW1B, kLokrW2A, kLokrW2B}},
      .optional = {kLokrT2},
      .rank = RankOfLokr,
      .scaled = IsScaledLokr,
      .size = SizeOfLokr,
      .rows = RowsOfLokr,
      .bytes = BytesOfLokr};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
