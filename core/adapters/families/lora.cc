// LoRA of linear layers and convolutions, with LoCon's core (mid) between its factors.

#include <algorithm>

#include "core/adapters/adapter_family.h"
#include "core/adapters/delta_rows.h"

namespace weightsmith::adapter_families {
namespace {

std::uint64_t Rank(const AdapterShapes& shapes) {
  return AxisOf(shapes, AdapterRole::kDown, 0);
}

/// A core between the factors, [up rank, down rank, kernel], taken into the second: a convolution
/// of full size with up alone in front of it.
std::vector<float> WithCore(const AdapterValues& values) {
  const Shape& core = values.shapes.at(AdapterRole::kMid);
  const AdapterValues::Matrix down = values.Of(AdapterRole::kDown);
  const std::uint64_t kernel = KernelOf(core);
  ExpectEqual(core[1], down.rows, "the second axis of mid");
  const AdapterValues::Matrix mid = values.Of(AdapterRole::kMid);
  std::vector<float> whole(core[0] * down.columns * kernel);
  for (std::uint64_t p = 0; p < core[0]; ++p) {
    for (std::uint64_t i = 0; i < down.columns; ++i) {
      const auto out = std::span(whole).subspan((p * down.columns + i) * kernel, kernel);
      for (std::uint64_t q = 0; q < core[1]; ++q) {
        AddScaled(down.Row(q)[i], mid.Row(p).subspan(q * kernel, kernel), out);
      }
    }
  }
  return whole;
}

class LoraRows final : public DeltaRows {
 public:
  LoraRows(const AdapterValues& values, const Shape& weight) : values_(values) {
    up_ = values_.Of(AdapterRole::kUp);
    down_ = values_.Of(AdapterRole::kDown);
    if (values_.Has(AdapterRole::kMid)) {
      whole_ = WithCore(values_);
      const std::uint64_t rank = values_.shapes.at(AdapterRole::kMid)[0];
      down_ = {rank, rank == 0 ? 0 : whole_.size() / rank, whole_};
    }
    ExpectEqual(up_.columns, down_.rows, "the rank of up");
    ExpectMatrix(up_.rows, down_.columns, weight);
  }

  void Row(std::uint64_t row, std::span<float> out) const override {
    std::ranges::fill(out, 0.0f);
    for (std::uint64_t k = 0; k < down_.rows; ++k) {
      AddScaled(values_.scale * up_.Row(row)[k], down_.Row(k), out);
    }
  }

 private:
  AdapterValues values_;
  AdapterValues::Matrix up_;
  AdapterValues::Matrix down_;
  std::vector<float> whole_;
};

std::unique_ptr<DeltaRows> Rows(const AdapterValues& values, const Shape& weight) {
  return std::make_unique<LoraRows>(values, weight);
}

}  // namespace

const AdapterFamily& lora() {
  using enum AdapterRole;
  static const AdapterFamily family = {
      .id = "lora",
      .title = "LoRA",
      .source = "arXiv:2106.09685; kohya sd-scripts, PEFT",
      .precedence = 60,
      .known_by = {kDown, kUp, kMid},
      .forms = {{kDown, kUp}},
      .optional = {kMid, kUpBias, kSparseIndices, kSparseValues, kSparseSize, kReshapeWeight},
      .rank = Rank,
      .rows = Rows};
  return family;
}

}  // namespace weightsmith::adapter_families
