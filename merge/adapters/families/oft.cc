// OFT as kohya and LyCORIS save it: blocks of a rotation of the output; alpha limits it.

#include "merge/adapters/adapter_family.h"
#include "merge/adapters/delta_rows.h"
#include "merge/adapters/rotation.h"

namespace weightsmith::internal::adapter_families {
namespace {

using enum AdapterRole;

const Shape& Blocks(const AdapterShapes& shapes) {
  return shapes.at(shapes.contains(kRotated) ? kRotated : kRotation);
}

bool IsBlocks(const AdapterShapes& shapes) {
  return Blocks(shapes).size() == 3;
}

MatrixSize SizeOfOft(const AdapterShapes& shapes) {
  const Shape& blocks = Blocks(shapes);
  ExpectEqual(blocks[2], blocks[1], "the width of a block");
  return {blocks[0] * blocks[1], 0};
}

/// The rows that are scaled afterwards are not in proportion to the strength.
bool IsLinearOft(const AdapterShapes& shapes) {
  return !shapes.contains(kRescale);
}

class OftRows final : public RowByRow {
 public:
  OftRows(const AdapterValues& values, const AdapterWeight& weight)
      : RowByRow(weight.size().columns),
        weight_(weight),
        size_(Blocks(values.shapes)[1]),
        rotations_(StoredRotations(values, size_, weight.size().rows)) {
    if (!values.Has(kRescale)) return;
    strength_ = values.strength;
    rescale_ = values.values.at(kRescale);
    ExpectEqual(rescale_.size(), weight.size().rows, "the length of rescale");
  }

 protected:
  void Row(std::uint64_t row, std::span<float> out) const override {
    std::ranges::fill(out, 0.0f);
    const std::uint64_t first = row / size_ * size_;
    const std::span<const float> block = std::span(rotations_).subspan(first * size_);
    for (std::uint64_t n = 0; n < size_; ++n) {
      const float factor = strength_ * block[n * size_ + row % size_];
      AddScaled(factor, weight_.Row(first + n), out);
    }
    if (rescale_.empty()) return;
    const float more = strength_ * (rescale_[row] - 1);
    const std::span<const float> own = weight_.Row(row);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += more * (own[i] + out[i]);
  }

 private:
  AdapterWeight weight_;
  std::uint64_t size_;
  std::vector<float> rotations_;
  float strength_ = 1;
  std::vector<float> rescale_;
};

std::unique_ptr<DeltaRows> RowsOfOft(const AdapterValues& values, const AdapterWeight& weight) {
  return std::make_unique<OftRows>(values, weight);
}

std::uint64_t BytesOfOft(const AdapterShapes& shapes, const MatrixSize&) {
  return RotationBytes(ElementsOf(shapes), Blocks(shapes)[1]);
}

}  // namespace

const AdapterFamily& oft() {
  static const AdapterFamily family = {.id = "oft",
                                       .title = "OFT",
                                       .source = "arXiv:2306.07280; kohya sd-scripts, LyCORIS",
                                       .formula = "Rᵀ·W by blocks of rows, R = (I+Q)(I-Q)⁻¹",
                                       .precedence = 10,
                                       .known_by = {kRotation, kRotated},
                                       .forms = {{kRotation}, {kRotated}},
                                       .optional = {kRescale},
                                       .accepts = IsBlocks,
                                       .size = SizeOfOft,
                                       .rows = RowsOfOft,
                                       .bytes = BytesOfOft,
                                       .reads_weight = true,
                                       .linear = IsLinearOft};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
