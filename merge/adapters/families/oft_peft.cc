// OFT as PEFT saves it: the triangles of skew matrices that rotate the input.

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "merge/adapters/adapter_family.h"
#include "merge/adapters/delta_rows.h"
#include "merge/adapters/rotation.h"

namespace weightsmith::internal::adapter_families {
namespace {

using enum AdapterRole;

/// Of a block whose triangle has as many elements.
std::uint64_t BlockSize(std::uint64_t elements) {
  auto size = static_cast<std::uint64_t>(std::sqrt(2.0 * static_cast<double>(elements)));
  while (Times(size, size - 1) / 2 < elements) ++size;
  ExpectEqual(elements, size * (size - 1) / 2, "the number of elements of a triangle");
  return size;
}

MatrixSize SizeOfOftPeft(const AdapterShapes& shapes) {
  const Shape& shape = shapes.at(kRotationPeft);
  ExpectEqual(shape.size(), 2, "the number of axes of oft_R");
  const std::uint64_t size = BlockSize(shape[1]);
  return {0, shape[0] == 1 ? 0 : shape[0] * size};  // one block may serve all columns
}

/// PEFT's COFT keeps the matrices small.
void Project(const PeftNumbers& peft, std::uint64_t blocks, std::vector<double>& skew) {
  if (!peft.coft) return;
  double squares = 0;
  for (const double value : skew) squares += value * value;
  const double limit = peft.eps / std::sqrt(static_cast<double>(blocks));
  const double norm = std::sqrt(squares);
  if (norm <= limit) return;
  for (double& value : skew) value *= limit / norm;
}

std::vector<double> Rotation(const AdapterValues& values, std::uint64_t block, std::uint64_t size) {
  const AdapterValues::Matrix triangles = values.Of(kRotationPeft);
  std::vector<double> skew(size * size);
  const double divisor =
      values.Has(kRotationScaled) ? 2 * std::sqrt(static_cast<double>(size - 1)) : 1;
  std::uint64_t at = 0;
  for (std::uint64_t row = 0; row < size; ++row) {
    for (std::uint64_t column = row + 1; column < size; ++column, ++at) {
      const double value = static_cast<double>(triangles.Row(block)[at]) / divisor;
      skew[row * size + column] = value;
      skew[column * size + row] = -value;
    }
  }
  Project(values.peft, triangles.rows, skew);
  if (values.peft.cayley_neumann)
    return CayleyNeumann(skew, size, values.peft.neumann_terms, values.poll);
  for (double& value : skew) value = -value;  // the other way round
  return Cayley(skew, size, values.poll);
}

class OftPeftRows final : public RowByRow {
 public:
  OftPeftRows(const AdapterValues& values, const AdapterWeight& weight)
      : RowByRow(weight.size().columns), weight_(weight) {
    const AdapterValues::Matrix triangles = values.Of(kRotationPeft);
    size_ = BlockSize(triangles.columns);
    ExpectEqual(columns() % size_, 0, "the rest of the weight's columns by the block's");
    shared_ = triangles.rows == 1;
    rotations_.reserve(triangles.rows * size_ * size_);
    for (std::uint64_t block = 0; block < triangles.rows; ++block) {
      const std::vector<double> rotation = Rotation(values, block, size_);
      for (std::size_t i = 0; i < rotation.size(); ++i) {
        const double one = i % (size_ + 1) == 0 ? 1 : 0;
        rotations_.push_back(static_cast<float>(rotation[i] - one));
      }
    }
  }

 protected:
  void Row(std::uint64_t row, std::span<float> out) const override {
    const std::span<const float> weight = weight_.Row(row);
    for (std::uint64_t i = 0; i < out.size(); ++i) {
      const std::uint64_t first = i / size_ * size_;
      const std::uint64_t line = shared_ ? i % size_ : i;
      float sum = 0;
      for (std::uint64_t j = 0; j < size_; ++j) {
        sum += rotations_[line * size_ + j] * weight[first + j];
      }
      out[i] = sum;
    }
  }

 private:
  AdapterWeight weight_;
  std::uint64_t size_ = 0;
  bool shared_ = false;
  std::vector<float> rotations_;  ///< less 1 on the diagonals
};

std::unique_ptr<DeltaRows> RowsOfOftPeft(const AdapterValues& values, const AdapterWeight& weight) {
  return std::make_unique<OftPeftRows>(values, weight);
}

std::uint64_t BytesOfOftPeft(const AdapterShapes& shapes, const MatrixSize&) {
  const Shape& shape = shapes.at(kRotationPeft);
  const std::uint64_t block = BlockSize(shape[1]) * BlockSize(shape[1]);
  // All rotations, and a block with the powers that it is summed of.
  return shape[0] * block * sizeof(float) + 5 * block * sizeof(double);
}

}  // namespace

const AdapterFamily& oft_peft() {
  static const AdapterFamily family = {.id = "oft_peft",
                                       .title = "OFT (PEFT)",
                                       .source = "PEFT, OneTrainer",
                                       .formula = "(R·Wᵀ)ᵀ by blocks of columns",
                                       .precedence = 20,
                                       .known_by = {kRotationPeft},
                                       .forms = {{kRotationPeft}},
                                       .optional = {kRotationScaled},
                                       .size = SizeOfOftPeft,
                                       .rows = RowsOfOftPeft,
                                       .bytes = BytesOfOftPeft,
                                       .reads_weight = true};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
