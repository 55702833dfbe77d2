// BOFT as PEFT saves it: stages of a butterfly of rotations of the input, and factors of the rows.

#include <algorithm>
#include <numeric>

#include "merge/adapters/adapter_family.h"
#include "merge/adapters/delta_rows.h"
#include "merge/adapters/rotation.h"

namespace weightsmith::internal::adapter_families {
namespace {

using enum AdapterRole;

MatrixSize SizeOfBoftPeft(const AdapterShapes& shapes) {
  const Shape& stages = shapes.at(kButterfly);
  ExpectEqual(stages.size(), 4, "the number of axes of boft_R");
  ExpectEqual(stages[3], stages[2], "the width of a block");
  if (stages[0] > 1) {
    const std::uint64_t most = std::min<std::uint64_t>(stages[0], 63);
    ExpectEqual(stages[0], most, "the number of stages");
    ExpectEqual(stages[2] % 2, 0, "the rest of a block's width by 2");
    ExpectEqual(stages[1] % (std::uint64_t{1} << (most - 1)), 0,
                "the rest of the blocks by the stages'");
  }
  return {SizeAsMatrix(shapes.at(kButterflyScale)).rows, stages[1] * stages[2]};
}

bool IsLinearBoftPeft(const AdapterShapes&) {
  return false;
}

/// Where the columns of a stage are taken from: in blocks that double from stage to stage, every
/// other half of a rotation's, then the others.
std::vector<std::uint64_t> Permutation(std::uint64_t columns, std::uint64_t stages,
                                       std::uint64_t stage, std::uint64_t blocks,
                                       std::uint64_t half) {
  std::vector<std::uint64_t> order(columns);
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  if (stages == 1) return order;
  const std::uint64_t group = columns / (blocks >> stage);
  const std::uint64_t pieces = group / half;
  for (std::uint64_t i = 0; i < columns; ++i) {
    const std::uint64_t piece = i % group / half;
    const std::uint64_t evens = (pieces + 1) / 2;
    const std::uint64_t from = piece < evens ? 2 * piece : 2 * (piece - evens) + 1;
    order[i] = i / group * group + from * half + i % half;
  }
  return order;
}

class BoftRows final : public RowByRow {
 public:
  BoftRows(const AdapterValues& values, const AdapterWeight& weight)
      : RowByRow(weight.size().columns),
        weight_(weight),
        strength_(values.strength),
        scale_(values.values.at(kButterflyScale)) {
    const Shape& shape = values.shapes.at(kButterfly);
    size_ = shape[2];
    const std::vector<float>& stored = values.values.at(kButterfly);
    const std::uint64_t block = size_ * size_;
    rotations_.reserve(stored.size());
    for (std::uint64_t s = 0; s < shape[0]; ++s) {
      orders_.push_back(Permutation(columns(), shape[0], s, shape[1], size_ / 2));
    }
    for (std::uint64_t first = 0; first < stored.size(); first += block) {
      std::vector<double> skew(block);
      for (std::uint64_t i = 0; i < block; ++i) {
        const std::uint64_t mirrored = i % size_ * size_ + i / size_;
        // PEFT's is the other way round.
        skew[i] = 0.5 * (static_cast<double>(stored[first + mirrored]) -
                         static_cast<double>(stored[first + i]));
      }
      const std::vector<double> rotation = Cayley(skew, size_, values.poll);
      for (std::uint64_t i = 0; i < block; ++i) {
        rotations_.push_back(static_cast<float>(rotation[i] - (i % (size_ + 1) == 0 ? 1 : 0)));
      }
    }
  }

 protected:
  void Row(std::uint64_t row, std::span<float> out) const override {
    const std::span<const float> weight = weight_.Row(row);
    std::ranges::copy(weight, out.begin());
    std::vector<float> gathered(columns());
    for (std::size_t s = 0; s < orders_.size(); ++s) Turn(s, gathered, out);
    const float factor = 1 + strength_ * (scale_[row] - 1);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = factor * out[i] - weight[i];
  }

 private:
  void Turn(std::size_t stage, std::span<float> gathered, std::span<float> row) const {
    const std::vector<std::uint64_t>& order = orders_[stage];
    for (std::size_t i = 0; i < row.size(); ++i) gathered[order[i]] = row[i];
    const std::span<const float> rotations =
        std::span(rotations_).subspan(stage * columns() * size_, columns() * size_);
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::uint64_t line = order[i];
      float sum = 0;
      for (std::uint64_t j = 0; j < size_; ++j) {
        sum += rotations[line * size_ + j] * gathered[line / size_ * size_ + j];
      }
      row[i] += strength_ * sum;
    }
  }

  AdapterWeight weight_;
  float strength_;
  std::vector<float> scale_;
  std::uint64_t size_ = 0;
  std::vector<std::vector<std::uint64_t>> orders_;
  std::vector<float> rotations_;  ///< less 1 on the diagonals
};

std::unique_ptr<DeltaRows> RowsOfBoftPeft(const AdapterValues& values,
                                          const AdapterWeight& weight) {
  return std::make_unique<BoftRows>(values, weight);
}

std::uint64_t BytesOfBoftPeft(const AdapterShapes& shapes, const MatrixSize& weight) {
  const Shape& shape = shapes.at(kButterfly);
  const std::uint64_t orders = shape[0] * weight.columns * sizeof(std::uint64_t);
  return orders + RotationBytes(ElementsOf(shapes), shape[2]) + weight.columns * sizeof(float);
}

}  // namespace

const AdapterFamily& boft_peft() {
  static const AdapterFamily family = {.id = "boft_peft",
                                       .title = "BOFT (PEFT)",
                                       .source = "PEFT",
                                       .formula = "(Rₘ·…·R₁·Wᵀ)ᵀ∘s",
                                       .precedence = 21,
                                       .known_by = {kButterfly, kButterflyScale},
                                       .forms = {{kButterfly, kButterflyScale}},
                                       .size = SizeOfBoftPeft,
                                       .rows = RowsOfBoftPeft,
                                       .bytes = BytesOfBoftPeft,
                                       .reads_weight = true,
                                       .linear = IsLinearBoftPeft};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
