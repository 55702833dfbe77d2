// LoRA of linear layers and convolutions, with LoCon's core (mid) between its factors.

#include "merge/adapters/adapter_family.h"
#include "merge/adapters/delta_rows.h"

namespace weightsmith::internal::adapter_families {
namespace {

using enum AdapterRole;

std::uint64_t RankOfLora(const AdapterShapes& shapes) {
  return AxisOf(shapes, kDown, 0);
}

/// Very old scripts put the kernel into the second factor: up [out, rank, kernel], down [rank, in].
bool KernelInUp(const AdapterShapes& shapes) {
  const MatrixSize up = SizeAsMatrix(shapes.at(kUp));
  return !shapes.contains(kMid) && shapes.at(kUp).size() > 2 && up.columns > shapes.at(kUp)[1] &&
         up.columns % RankOfLora(shapes) == 0;
}

MatrixSize SizeOfLora(const AdapterShapes& shapes) {
  const MatrixSize up = SizeAsMatrix(shapes.at(kUp));
  const MatrixSize down = SizeAsMatrix(shapes.at(kDown));
  if (KernelInUp(shapes)) return {up.rows, Times(down.columns, up.columns / down.rows)};
  if (!shapes.contains(kMid)) {
    ExpectEqual(up.columns, down.rows, "the rank of up");
    return {up.rows, down.columns};
  }
  const Shape& mid = shapes.at(kMid);
  const std::uint64_t kernel = KernelOf(mid);
  ExpectEqual(up.columns, mid[0], "the rank of up");
  ExpectEqual(mid[1], down.rows, "the second axis of mid");
  return {up.rows, Times(down.columns, kernel)};
}

/// Δ[o, i, y] = Σ up[o, j, y] · down[j, i].
std::vector<float> ReversedProduct(const AdapterValues& values) {
  const AdapterValues::Matrix up = values.Of(kUp);
  const AdapterValues::Matrix down = values.Of(kDown);
  const std::uint64_t kernel = up.columns / down.rows;
  std::vector<float> delta(up.rows * down.columns * kernel);
  for (std::uint64_t o = 0; o < up.rows; ++o) {
    for (std::uint64_t j = 0; j < down.rows; ++j) {
      for (std::uint64_t i = 0; i < down.columns; ++i) {
        const auto out = std::span(delta).subspan((o * down.columns + i) * kernel, kernel);
        AddScaled(values.scale * down.Row(j)[i], up.Row(o).subspan(j * kernel, kernel), out);
      }
    }
  }
  return delta;
}

std::unique_ptr<DeltaRows> RowsOfLora(const AdapterValues& values, const AdapterWeight&) {
  const AdapterValues::Matrix down = values.Of(kDown);
  if (KernelInUp(values.shapes)) {
    return std::make_unique<StoredRows>(SizeOfLora(values.shapes).columns, ReversedProduct(values));
  }
  const std::span<const float> up = values.Of(kUp).values;
  if (!values.Has(kMid)) {
    return std::make_unique<LowRankRows>(LowRank(up, down.values, down.rows, values.scale));
  }
  const Shape& mid = values.shapes.at(kMid);
  return std::make_unique<LowRankRows>(
      LowRank(up, WithCore(down, values.Of(kMid), mid), mid[0], values.scale));
}

std::uint64_t BytesOfLora(const AdapterShapes& shapes, const MatrixSize& weight) {
  if (KernelInUp(shapes)) return weight.rows * weight.columns * sizeof(float);
  const std::uint64_t factors = LowRank::Bytes(weight.rows, RankOfLora(shapes), weight.columns);
  if (!shapes.contains(kMid)) return factors;
  const std::uint64_t rank = shapes.at(kMid)[0];
  return LowRank::Bytes(weight.rows, rank, weight.columns) + rank * weight.columns * sizeof(float);
}

}  // namespace

const AdapterFamily& lora() {
  static const AdapterFamily family = {
      .id = "lora",
      .title = "LoRA",
      .source = "arXiv:2106.09685; kohya sd-scripts, PEFT",
      .formula = "W + s·up·down; with a core up ⊗ mid ⊗ down",
      .precedence = 60,
      .known_by = {kDown, kUp, kMid},
      .forms = {{kDown, kUp}},
      .optional = {kMid, kUpBias, kSparseIndices, kSparseValues, kSparseSize, kReshapeWeight},
      .rank = RankOfLora,
      .size = SizeOfLora,
      .rows = RowsOfLora,
      .bytes = BytesOfLora};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
