// LoHa: the Hadamard product of two low-rank matrices, with Tucker cores for convolutions.

#include "core/adapters/adapter_family.h"
#include "core/adapters/delta_rows.h"

namespace weightsmith::adapter_families {
namespace {

std::uint64_t Rank(const AdapterShapes& shapes) {
  return AxisOf(shapes, AdapterRole::kHadaW1B, 0);
}

/// One of the two matrices. With a core [rank, rank, kernel] its factors are [rank, out] and
/// [rank, in].
std::vector<float> MatrixOf(const AdapterValues& values, AdapterRole a, AdapterRole b,
                            AdapterRole t) {
  const AdapterValues::Matrix left = values.Of(a);
  const AdapterValues::Matrix right = values.Of(b);
  if (!values.Has(t)) {
    ExpectEqual(left.columns, right.rows, "the rank of a factor");
    return Product(left, right);
  }
  return CoreProduct(left, right, values.Of(t), values.shapes.at(t));
}

class LohaRows final : public DeltaRows {
 public:
  LohaRows(const AdapterValues& values, const Shape& weight)
      : scale_(values.scale),
        first_(
            MatrixOf(values, AdapterRole::kHadaW1A, AdapterRole::kHadaW1B, AdapterRole::kHadaT1)),
        second_(
            MatrixOf(values, AdapterRole::kHadaW2A, AdapterRole::kHadaW2B, AdapterRole::kHadaT2)) {
    ExpectEqual(second_.size(), first_.size(), "the size of the second matrix");
    const std::uint64_t rows = weight.empty() ? 1 : weight[0];
    ExpectMatrix(rows, rows == 0 ? 0 : first_.size() / rows, weight);
  }

  void Row(std::uint64_t row, std::span<float> out) const override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t at = row * out.size() + i;
      out[i] = scale_ * (first_[at] * second_[at]);
    }
  }

 private:
  float scale_;
  std::vector<float> first_;
  std::vector<float> second_;
};

std::unique_ptr<DeltaRows> Rows(const AdapterValues& values, const Shape& weight) {
  return std::make_unique<LohaRows>(values, weight);
}

}  // namespace

const AdapterFamily& loha() {
  using enum AdapterRole;
  static const AdapterFamily family = {
      .id = "loha",
      .title = "LoHa",
      .source = "LyCORIS, FedPara arXiv:2108.06098",
      .precedence = 40,
      .known_by = {kHadaW1A, kHadaW1B, kHadaW2A, kHadaW2B, kHadaT1, kHadaT2},
      .forms = {{kHadaW1A, kHadaW1B, kHadaW2A, kHadaW2B}},
      .optional = {kHadaT1, kHadaT2},
      .rank = Rank,
      .rows = Rows};
  return family;
}

}  // namespace weightsmith::adapter_families
