// AdaLoRA: LoRA with singular values between its factors.

#include "merge/adapters/adapter_family.h"
#include "merge/adapters/delta_rows.h"

namespace weightsmith::internal::adapter_families {
namespace {

using enum AdapterRole;

std::uint64_t RankOfAdalora(const AdapterShapes& shapes) {
  return AxisOf(shapes, kDown, 0);
}

/// PEFT divides by the rank that was left, which is a tensor, and not by that of the factors.
bool IsScaledAdalora(const AdapterShapes&) {
  return false;
}

MatrixSize SizeOfAdalora(const AdapterShapes& shapes) {
  const MatrixSize up = SizeAsMatrix(shapes.at(kUp));
  const MatrixSize down = SizeAsMatrix(shapes.at(kDown));
  ExpectEqual(up.columns, down.rows, "the rank of up");
  ExpectEqual(SizeAsMatrix(shapes.at(kSingularValues)).rows, down.rows, "the length of lora_E");
  return {up.rows, down.columns};
}

std::unique_ptr<DeltaRows> RowsOfAdalora(const AdapterValues& values, const AdapterWeight&) {
  const AdapterValues::Matrix down = values.Of(kDown);
  std::vector<float> weighted(down.values.begin(), down.values.end());
  for (std::uint64_t k = 0; k < down.rows; ++k) {
    const float singular = values.values.at(kSingularValues)[k];
    for (float& value : std::span(weighted).subspan(k * down.columns, down.columns)) {
      value *= singular;
    }
  }
  const double left = values.Has(kRankNumber) ? values.values.at(kRankNumber).front()
                                              : static_cast<double>(down.rows);
  const double alpha = values.peft.alpha.value_or(values.alpha.value_or(1));
  return std::make_unique<LowRankRows>(LowRank(values.Of(kUp).values, weighted, down.rows,
                                               static_cast<float>(alpha / (left + 1e-5))));
}

}  // namespace

const AdapterFamily& adalora() {
  static const AdapterFamily family = {.id = "adalora",
                                       .title = "AdaLoRA",
                                       .source = "arXiv:2303.10512; PEFT",
                                       .formula = "W + alpha/(ranknum + 1e-5)·up·(down∘lora_E)",
                                       .precedence = 55,
                                       .known_by = {kSingularValues},
                                       .forms = {{kDown, kUp, kSingularValues}},
                                       .optional = {kRankNumber},
                                       .rank = RankOfAdalora,
                                       .scaled = IsScaledAdalora,
                                       .size = SizeOfAdalora,
                                       .rows = RowsOfAdalora};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
