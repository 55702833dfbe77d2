// LoHa: the Hadamard product of two low-rank matrices, with Tucker cores for convolutions.

#include "merge/adapters/adapter_family.h"
#include "merge/adapters/delta_rows.h"
#include "merge/adapters/low_rank.h"

namespace weightsmith::internal::adapter_families {
namespace {

using enum AdapterRole;

std::uint64_t RankOfLoha(const AdapterShapes& shapes) {
  return AxisOf(shapes, kHadaW1B, 0);
}

struct Roles {
  AdapterRole a;
  AdapterRole b;
  AdapterRole t;
};
constexpr Roles kFirst = {kHadaW1A, kHadaW1B, kHadaT1};
constexpr Roles kSecond = {kHadaW2A, kHadaW2B, kHadaT2};

/// Of one of the two matrices. With a core [rank, rank, kernel] its factors are [rank, out] and
/// [rank, in].
MatrixSize SizeOf(const AdapterShapes& shapes, const Roles& roles) {
  const MatrixSize a = SizeAsMatrix(shapes.at(roles.a));
  const MatrixSize b = SizeAsMatrix(shapes.at(roles.b));
  if (!shapes.contains(roles.t)) {
    ExpectEqual(a.columns, b.rows, "the rank of a factor");
    return {a.rows, b.columns};
  }
  const Shape& core = shapes.at(roles.t);
  const std::uint64_t kernel = KernelOf(core);
  ExpectEqual(a.rows, core[0], "the rank of a factor");
  ExpectEqual(b.rows, core[1], "the rank of a factor");
  return {a.columns, Times(b.columns, kernel)};
}

MatrixSize SizeOfLoha(const AdapterShapes& shapes) {
  const MatrixSize first = SizeOf(shapes, kFirst);
  const MatrixSize second = SizeOf(shapes, kSecond);
  ExpectEqual(second.rows, first.rows, "the height of the second matrix");
  ExpectEqual(second.columns, first.columns, "the width of the second matrix");
  return first;
}

class HadamardRows final : public DeltaRows {
 public:
  HadamardRows(const AdapterValues& values, std::uint64_t columns)
      : DeltaRows(columns),
        first_(Factors(values, kFirst, values.scale)),
        second_(Factors(values, kSecond, 1)) {}

  void Fill(std::uint64_t first, std::span<float> out) const override {
    std::vector<float> second(out.size());
    first_.Fill(first, out);
    second_.Fill(first, second);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] *= second[i];
  }

 private:
  static LowRank Factors(const AdapterValues& values, const Roles& roles, float scale) {
    const AdapterValues::Matrix b = values.Of(roles.b);
    return {values.Of(roles.a).values, b.values, b.rows, scale};
  }

  LowRank first_;
  LowRank second_;
};

std::unique_ptr<DeltaRows> RowsOfLoha(const AdapterValues& values, const AdapterWeight&) {
  const std::uint64_t columns = SizeOfLoha(values.shapes).columns;
  if (!values.Has(kHadaT1)) return std::make_unique<HadamardRows>(values, columns);
  std::vector<float> product = CoreProduct(values.Of(kHadaW1A), values.Of(kHadaW1B),
                                           values.Of(kHadaT1), values.shapes.at(kHadaT1));
  const std::vector<float> second = CoreProduct(values.Of(kHadaW2A), values.Of(kHadaW2B),
                                                values.Of(kHadaT2), values.shapes.at(kHadaT2));
  for (std::size_t i = 0; i < product.size(); ++i) product[i] *= values.scale * second[i];
  return std::make_unique<StoredRows>(columns, std::move(product));
}

std::uint64_t BytesOfLoha(const AdapterShapes& shapes, const MatrixSize& weight) {
  if (shapes.contains(kHadaT1)) return 2 * weight.rows * weight.columns * sizeof(float);
  const std::uint64_t first = LowRank::Bytes(weight.rows, RankOfLoha(shapes), weight.columns);
  return first + LowRank::Bytes(weight.rows, AxisOf(shapes, kHadaW2B, 0), weight.columns);
}

}  // namespace

const AdapterFamily& loha() {
  static const AdapterFamily family = {
      .id = "loha",
      .title = "LoHa",
      .source = "LyCORIS, FedPara arXiv:2108.06098",
      .formula = "W + s·(w1_a·w1_b)∘(w2_a·w2_b)",
      .precedence = 40,
      .known_by = {kHadaW1A, kHadaW1B, kHadaW2A, kHadaW2B, kHadaT1, kHadaT2},
      .forms = {{kHadaW1A, kHadaW1B, kHadaW2A, kHadaW2B, kHadaT1, kHadaT2},
                {kHadaW1A, kHadaW1B, kHadaW2A, kHadaW2B}},
      .rank = RankOfLoha,
      .size = SizeOfLoha,
      .rows = RowsOfLoha,
      .bytes = BytesOfLoha};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
