#include "merge/adapters/dora.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "core/base/error.h"

namespace weightsmith::internal {
namespace {

enum class Axis : bool { kOut, kIn };

bool OnlyAxis(const Shape& shape, std::size_t axis) {
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i != axis && shape[i] != 1) return false;
  }
  return true;
}

/// Magnitudes of a 2-dimensional shape say by it which axis they are for; PEFT's of convolutions
/// stand where its tensors have the output.
Axis AxisOf(const Shape& shape, const AdapterWeight& weight, bool peft, bool embedding) {
  const std::uint64_t out = weight.size().rows;
  const std::uint64_t in = weight.shape.size() < 2 ? 1 : weight.shape[1];
  if (shape.size() < 2) {
    const std::uint64_t length = shape.empty() ? 1 : shape[0];
    if (embedding && length == in) return Axis::kIn;
    if (length == out) return Axis::kOut;
  } else if ((peft && shape.size() > 2 && shape[1] == out && OnlyAxis(shape, 1)) ||
             (shape[0] == out && OnlyAxis(shape, 0))) {
    return Axis::kOut;
  } else if (shape[1] == in && OnlyAxis(shape, 1)) {
    return Axis::kIn;
  }
  throw Error(ErrorCode::kMismatch,
              fmt::format("magnitudes of shape {} do not fit a weight of shape {}", ToString(shape),
                          ToString(weight.shape)));
}

class DoraRows final : public RowByRow {
 public:
  DoraRows(std::vector<float> magnitudes, Axis axis, float epsilon, const AdapterWeight& weight,
           std::unique_ptr<DeltaRows> delta, const std::function<void()>& poll)
      : RowByRow(weight.size().columns),
        magnitudes_(std::move(magnitudes)),
        axis_(axis),
        epsilon_(epsilon),
        weight_(weight),
        delta_(std::move(delta)) {
    if (axis_ == Axis::kIn) ScaleMagnitudes(poll);
  }

 protected:
  void Row(std::uint64_t row, std::span<float> out) const override {
    Changed(row, out);
    const std::span<const float> weight = weight_.Row(row);
    if (axis_ == Axis::kOut) {
      double squares = 0;
      for (const float value : out) squares += static_cast<double>(value) * value;
      const float factor = Factor(magnitudes_[row], squares);
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = factor * out[i] - weight[i];
      return;
    }
    const std::size_t kernel = out.size() / magnitudes_.size();
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = magnitudes_[i / kernel] * out[i] - weight[i];
    }
  }

 private:
  void Changed(std::uint64_t row, std::span<float> out) const {
    delta_->Fill(row * columns(), out);
    AddScaled(1, weight_.Row(row), out);
  }

  float Factor(float magnitude, double squares) const {
    const auto norm = static_cast<float>(std::sqrt(squares)) + epsilon_;
    return norm == 0 ? 0 : magnitude / norm;
  }

  /// By the norm of each column, of all rows together.
  void ScaleMagnitudes(const std::function<void()>& poll) {
    std::vector<double> squares(magnitudes_.size());
    std::vector<float> row(columns());
    const std::size_t kernel = row.size() / squares.size();
    for (std::uint64_t r = 0; r < weight_.size().rows; ++r) {
      poll();
      Changed(r, row);
      for (std::size_t i = 0; i < row.size(); ++i) {
        squares[i / kernel] += static_cast<double>(row[i]) * row[i];
      }
    }
    for (std::size_t i = 0; i < squares.size(); ++i) {
      magnitudes_[i] = Factor(magnitudes_[i], squares[i]);
    }
  }

  std::vector<float> magnitudes_;  ///< of columns: already divided by their norms
  Axis axis_;
  float epsilon_;
  AdapterWeight weight_;
  std::unique_ptr<DeltaRows> delta_;
};

}  // namespace

std::unique_ptr<DeltaRows> MakeDora(const AdapterValues& values, const AdapterWeight& weight,
                                    std::unique_ptr<DeltaRows> delta, bool embedding) {
  const bool peft = values.Has(AdapterRole::kMagnitude);
  const AdapterRole role = peft ? AdapterRole::kMagnitude : AdapterRole::kDoraScale;
  const Axis axis = AxisOf(values.shapes.at(role), weight, peft, embedding);
  // LyCORIS adds it to every norm, PEFT does not.
  const float epsilon = peft ? 0 : std::numeric_limits<float>::epsilon();
  return std::make_unique<DoraRows>(values.values.at(role), axis, epsilon, weight, std::move(delta),
                                    values.poll);
}

}  // namespace weightsmith::internal
