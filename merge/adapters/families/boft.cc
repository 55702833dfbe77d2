// BOFT as LyCORIS saves it: stages of a butterfly of rotations of the output.

#include <algorithm>
#include <functional>

#include "merge/adapters/adapter_family.h"
#include "merge/adapters/delta_rows.h"
#include "merge/adapters/rotation.h"

namespace weightsmith::internal::adapter_families {
namespace {

using enum AdapterRole;

bool IsStages(const AdapterShapes& shapes) {
  return shapes.at(kRotation).size() == 4;
}

MatrixSize SizeOfBoft(const AdapterShapes& shapes) {
  const Shape& stages = shapes.at(kRotation);
  ExpectEqual(stages[3], stages[2], "the width of a block");
  ExpectEqual(stages[2] % 2, 0, "the rest of a block's width by 2");
  // From stage to stage rows that lie twice as far apart are mixed.
  const std::uint64_t most = std::min<std::uint64_t>(stages[0], 63);
  ExpectEqual(stages[0], most, "the number of stages");
  ExpectEqual(stages[1] % (std::uint64_t{1} << (most - 1)), 0,
              "the rest of the blocks by the stages'");
  return {stages[1] * stages[2], 0};
}

bool IsLinearBoft(const AdapterShapes&) {
  return false;
}

/// The whole result, made stage by stage: each mixes rows that lie further apart.
class Butterfly {
 public:
  Butterfly(const AdapterValues& values, const AdapterWeight& weight)
      : columns_(weight.size().columns),
        result_(weight.values.begin(), weight.values.end()),
        strength_(values.strength),
        poll_(values.poll) {
    const Shape& stages = values.shapes.at(kRotation);
    size_ = stages[2];
    const std::vector<float> rotations = StoredRotations(values, size_, weight.size().rows);
    const std::uint64_t stage = stages[1] * size_ * size_;
    for (std::uint64_t i = 0; i < stages[0]; ++i) {
      Turn(std::span(rotations).subspan(i * stage, stage), (std::uint64_t{1} << i) * (size_ / 2));
    }
  }

  std::vector<float>&& Take() && { return std::move(result_); }

 private:
  std::span<float> Row(std::uint64_t row) {
    return std::span(result_).subspan(row * columns_, columns_);
  }

  /// Rows are taken two halves of `half` at a time, one of each in turn, and of that order
  /// blocks are rotated.
  void Turn(std::span<const float> rotations, std::uint64_t half) {
    const std::uint64_t rows = result_.size() / columns_;
    std::vector<float> turned(size_ * columns_);
    for (std::uint64_t block = 0; block < rows / size_; ++block) {
      const auto row_of = [&](std::uint64_t j) {
        const std::uint64_t at = block * size_ + j;
        return at / (2 * half) * 2 * half + at % 2 * half + at % (2 * half) / 2;
      };
      poll_();
      std::ranges::fill(turned, 0.0f);
      for (std::uint64_t i = 0; i < size_; ++i) {
        const auto out = std::span(turned).subspan(i * columns_, columns_);
        for (std::uint64_t j = 0; j < size_; ++j) {
          AddScaled(strength_ * rotations[(block * size_ + i) * size_ + j], Row(row_of(j)), out);
        }
      }
      for (std::uint64_t i = 0; i < size_; ++i) {
        AddScaled(1, std::span(turned).subspan(i * columns_, columns_), Row(row_of(i)));
      }
    }
  }

  std::uint64_t columns_;
  std::vector<float> result_;
  float strength_;
  const std::function<void()>& poll_;
  std::uint64_t size_ = 0;
};

std::unique_ptr<DeltaRows> RowsOfBoft(const AdapterValues& values, const AdapterWeight& weight) {
  const MatrixSize size = weight.size();
  if (values.Has(kRescale)) {
    ExpectEqual(values.values.at(kRescale).size(), size.rows, "the length of rescale");
  }
  std::vector<float> result = Butterfly(values, weight).Take();
  for (std::uint64_t row = 0; row < size.rows; ++row) {
    const float factor =
        values.Has(kRescale) ? 1 + values.strength * (values.values.at(kRescale)[row] - 1) : 1;
    for (std::uint64_t i = 0; i < size.columns; ++i) {
      float& value = result[row * size.columns + i];
      value = factor * value - weight.values[row * size.columns + i];
    }
  }
  return std::make_unique<StoredRows>(size.columns, std::move(result));
}

std::uint64_t BytesOfBoft(const AdapterShapes& shapes, const MatrixSize& weight) {
  const std::uint64_t size = shapes.at(kRotation)[2];
  const std::uint64_t result = weight.rows * weight.columns + size * weight.columns;
  return RotationBytes(ElementsOf(shapes), size) + result * sizeof(float);
}

}  // namespace

const AdapterFamily& boft() {
  static const AdapterFamily family = {.id = "boft",
                                       .title = "BOFT",
                                       .source = "arXiv:2311.06243; LyCORIS",
                                       .formula = "Rₘ·…·R₁·W, each Rᵢ between permutations",
                                       .precedence = 11,
                                       .known_by = {kRotation},
                                       .forms = {{kRotation}},
                                       .optional = {kRescale},
                                       .accepts = IsStages,
                                       .size = SizeOfBoft,
                                       .rows = RowsOfBoft,
                                       .bytes = BytesOfBoft,
                                       .reads_weight = true,
                                       .linear = IsLinearBoft};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
