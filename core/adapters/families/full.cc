// The whole difference of a weight or a bias, as it is.

#include <algorithm>

#include "core/adapters/adapter_family.h"
#include "core/adapters/delta_rows.h"

namespace weightsmith::adapter_families {
namespace {

class FullRows final : public DeltaRows {
 public:
  FullRows(const AdapterValues& values, const Shape& weight) : values_(values) {
    diff_ = values_.Of(AdapterRole::kDiff);
    ExpectMatrix(diff_.rows, diff_.columns, weight);
  }

  void Row(std::uint64_t row, std::span<float> out) const override {
    std::ranges::copy(diff_.Row(row), out.begin());
  }

 private:
  AdapterValues values_;
  AdapterValues::Matrix diff_;
};

std::unique_ptr<DeltaRows> Rows(const AdapterValues& values, const Shape& weight) {
  return std::make_unique<FullRows>(values, weight);
}

}  // namespace

const AdapterFamily& full() {
  using enum AdapterRole;
  static const AdapterFamily family = {.id = "full",
                                       .title = "Difference",
                                       .source = "LyCORIS, ComfyUI",
                                       .precedence = 70,
                                       .known_by = {kDiff, kDiffBias},
                                       .forms = {{kDiff}, {kDiffBias}},
                                       .rows = Rows};
  return family;
}

}  // namespace weightsmith::adapter_families
