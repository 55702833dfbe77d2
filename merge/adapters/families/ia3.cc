// IA3 as LyCORIS saves it: a factor for each row or column, minus one.

#include "merge/adapters/adapter_family.h"
#include "merge/adapters/delta_rows.h"

namespace weightsmith::internal::adapter_families {
namespace {

using enum AdapterRole;

/// Which axis it is for, a value says.
MatrixSize SizeOfIa3(const AdapterShapes&) {
  return {0, 0};
}

class Ia3Rows final : public RowByRow {
 public:
  Ia3Rows(const AdapterValues& values, const AdapterWeight& weight)
      : RowByRow(weight.size().columns),
        weight_(weight),
        factors_(values.values.at(kWeight)),
        on_input_(values.values.at(kOnInput).front() != 0) {
    const std::uint64_t inputs = weight.shape.size() < 2 ? 1 : weight.shape[1];
    ExpectEqual(factors_.size(), on_input_ ? inputs : weight.size().rows,
                on_input_ ? "the number of factors of the input" : "the number of factors");
    kernel_ = columns() / inputs;
  }

 protected:
  void Row(std::uint64_t row, std::span<float> out) const override {
    const std::span<const float> weight = weight_.Row(row);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = weight[i] * factors_[on_input_ ? i / kernel_ : row];
    }
  }

 private:
  AdapterWeight weight_;
  std::vector<float> factors_;
  bool on_input_;
  std::uint64_t kernel_ = 1;
};

std::unique_ptr<DeltaRows> RowsOfIa3(const AdapterValues& values, const AdapterWeight& weight) {
  return std::make_unique<Ia3Rows>(values, weight);
}

}  // namespace

const AdapterFamily& ia3() {
  static const AdapterFamily family = {.id = "ia3",
                                       .title = "IA3",
                                       .source = "arXiv:2205.05638; LyCORIS",
                                       .formula = "W + w∘W, by row or by column",
                                       .precedence = 80,
                                       .known_by = {kOnInput},
                                       .forms = {{kWeight, kOnInput}},
                                       .size = SizeOfIa3,
                                       .rows = RowsOfIa3,
                                       .reads_weight = true};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
