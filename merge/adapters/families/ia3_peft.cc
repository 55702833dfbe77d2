// IA3 as PEFT saves it: a factor for each row, and of its bias, or for each column.

#include "merge/adapters/adapter_family.h"
#include "merge/adapters/delta_rows.h"

namespace weightsmith::internal::adapter_families {
namespace {

using enum AdapterRole;

/// [out, 1] of a linear layer's rows; [1, in] of its columns; of a convolution [1, either, 1, 1].
MatrixSize SizeOfIa3Peft(const AdapterShapes& shapes) {
  const Shape& shape = shapes.at(kIa3);
  if (shape.size() == 2 && shape[1] == 1) return {shape[0], 0};
  if (shape.size() == 2 && shape[0] == 1) return {0, shape[1]};
  return {0, 0};
}

class Ia3PeftRows final : public RowByRow {
 public:
  Ia3PeftRows(const AdapterValues& values, const AdapterWeight& weight)
      : RowByRow(weight.size().columns), weight_(weight), factors_(values.values.at(kIa3)) {
    const Shape& shape = values.shapes.at(kIa3);
    const std::uint64_t inputs = weight.shape.size() < 2 ? 1 : weight.shape[1];
    kernel_ = columns() / inputs;
    by_row_ = shape.size() == 2 ? shape[1] == 1 : !values.peft.feedforward;
    ExpectEqual(factors_.size(), by_row_ ? weight.size().rows : inputs, "the number of factors");
  }

 protected:
  void Row(std::uint64_t row, std::span<float> out) const override {
    const std::span<const float> weight = weight_.Row(row);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = weight[i] * (factors_[by_row_ ? row : i / kernel_] - 1);
    }
  }

 private:
  AdapterWeight weight_;
  std::vector<float> factors_;
  bool by_row_ = true;
  std::uint64_t kernel_ = 1;
};

std::unique_ptr<DeltaRows> RowsOfIa3Peft(const AdapterValues& values, const AdapterWeight& weight) {
  return std::make_unique<Ia3PeftRows>(values, weight);
}

}  // namespace

const AdapterFamily& ia3_peft() {
  static const AdapterFamily family = {.id = "ia3_peft",
                                       .title = "IA3 (PEFT)",
                                       .source = "arXiv:2205.05638; PEFT",
                                       .formula = "W∘l, by row (and b∘l) or by column",
                                       .precedence = 81,
                                       .known_by = {kIa3},
                                       .forms = {{kIa3}},
                                       .size = SizeOfIa3Peft,
                                       .rows = RowsOfIa3Peft,
                                       .reads_weight = true};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
