// GLoRA: a low-rank matrix, and another that multiplies the weight. Older files have their factors
// in the other order.

#include <algorithm>

#include "merge/adapters/adapter_family.h"
#include "merge/adapters/delta_rows.h"
#include "merge/adapters/low_rank.h"

namespace weightsmith::internal::adapter_families {
namespace {

using enum AdapterRole;

/// Which factor of each pair is the first one (by the weight's input, by the result's rows).
struct Order {
  AdapterRole in;    ///< [in, rank] of what multiplies the weight
  AdapterRole back;  ///< [rank, in]
  AdapterRole up;    ///< [out, rank]
  AdapterRole down;  ///< [rank, in · kernel]
};
constexpr Order kLater = {kGloraA1, kGloraA2, kGloraB1, kGloraB2};
constexpr Order kOlder = {kGloraA2, kGloraA1, kGloraB2, kGloraB1};

bool Fits(const AdapterShapes& shapes, const Order& order) {
  const std::uint64_t rank = SizeAsMatrix(shapes.at(order.in)).columns;
  return SizeAsMatrix(shapes.at(order.back)).rows == rank &&
         SizeAsMatrix(shapes.at(order.up)).columns == rank &&
         SizeAsMatrix(shapes.at(order.down)).rows == rank &&
         SizeAsMatrix(shapes.at(order.back)).columns == SizeAsMatrix(shapes.at(order.in)).rows;
}

/// The sizes often fit both orders, one of them with a rank that is the width of the weight.
const Order& OrderOf(const AdapterShapes& shapes) {
  if (!Fits(shapes, kOlder)) return kLater;
  if (!Fits(shapes, kLater)) return kOlder;
  const std::uint64_t later = SizeAsMatrix(shapes.at(kLater.in)).columns;
  const std::uint64_t older = SizeAsMatrix(shapes.at(kOlder.in)).columns;
  return older < later ? kOlder : kLater;
}

std::uint64_t RankOfGlora(const AdapterShapes& shapes) {
  return SizeAsMatrix(shapes.at(OrderOf(shapes).in)).columns;
}

MatrixSize SizeOfGlora(const AdapterShapes& shapes) {
  const Order& order = OrderOf(shapes);
  const std::uint64_t rank = RankOfGlora(shapes);
  ExpectEqual(SizeAsMatrix(shapes.at(order.back)).rows, rank, "the rank of a2");
  ExpectEqual(SizeAsMatrix(shapes.at(order.back)).columns, SizeAsMatrix(shapes.at(order.in)).rows,
              "the width of a2");
  ExpectEqual(SizeAsMatrix(shapes.at(order.up)).columns, rank, "the rank of b1");
  ExpectEqual(SizeAsMatrix(shapes.at(order.down)).rows, rank, "the rank of b2");
  std::uint64_t kernel = 1;
  if (shapes.contains(kGloraMid)) {
    const Shape& mid = shapes.at(kGloraMid);
    kernel = KernelOf(mid);
    ExpectEqual(mid[0], rank, "the first axis of bm");
    ExpectEqual(mid[1], rank, "the second axis of bm");
  }
  return {SizeAsMatrix(shapes.at(order.up)).rows,
          Times(SizeAsMatrix(shapes.at(order.down)).columns, kernel)};
}

class GloraRows final : public RowByRow {
 public:
  GloraRows(const AdapterValues& values, const AdapterWeight& weight)
      : RowByRow(weight.size().columns), weight_(weight), scale_(values.scale) {
    const Order& order = OrderOf(values.shapes);
    const AdapterValues::Matrix down = values.Of(order.down);
    const std::span<const float> up = values.Of(order.up).values;
    if (values.Has(kGloraMid)) {
      const Shape& mid = values.shapes.at(kGloraMid);
      sum_ = {up, WithCore(down, values.Of(kGloraMid), mid), mid[0], scale_};
    } else {
      sum_ = {up, down.values, down.rows, scale_};
    }
    in_ = values.values.at(order.in);
    back_ = values.values.at(order.back);
    rank_ = down.rows;
    inputs_ = in_.size() / rank_;
    ExpectEqual(columns() % inputs_, 0, "the rest of the weight's columns by those of a1");
  }

 protected:
  void Row(std::uint64_t row, std::span<float> out) const override {
    sum_.Fill(row * columns(), out);
    const std::uint64_t kernel = columns() / inputs_;
    const std::span<const float> weight = weight_.Row(row);
    std::vector<float> inner(rank_);
    for (std::uint64_t at = 0; at < kernel; ++at) {
      std::ranges::fill(inner, 0.0f);
      for (std::uint64_t i = 0; i < inputs_; ++i) {
        AddScaled(weight[i * kernel + at], std::span(in_).subspan(i * rank_, rank_), inner);
      }
      for (std::uint64_t q = 0; q < rank_; ++q) {
        const float factor = scale_ * inner[q];
        for (std::uint64_t i = 0; i < inputs_; ++i) {
          out[i * kernel + at] += factor * back_[q * inputs_ + i];
        }
      }
    }
  }

 private:
  AdapterWeight weight_;
  float scale_;
  LowRank sum_;
  std::vector<float> in_;
  std::vector<float> back_;
  std::uint64_t rank_ = 0;
  std::uint64_t inputs_ = 0;
};

std::unique_ptr<DeltaRows> RowsOfGlora(const AdapterValues& values, const AdapterWeight& weight) {
  return std::make_unique<GloraRows>(values, weight);
}

std::uint64_t BytesOfGlora(const AdapterShapes& shapes, const MatrixSize& weight) {
  const std::uint64_t core = shapes.contains(kGloraMid) ? RankOfGlora(shapes) * weight.columns : 0;
  return LowRank::Bytes(weight.rows, RankOfGlora(shapes), weight.columns) +
         (ElementsOf(shapes) + core) * sizeof(float);
}

}  // namespace

const AdapterFamily& glora() {
  static const AdapterFamily family = {.id = "glora",
                                       .title = "GLoRA",
                                       .source = "LyCORIS, arXiv:2306.07967",
                                       .formula = "W + s·(b1·b2 + (W·a1)·a2)",
                                       .precedence = 50,
                                       .known_by = {kGloraA1, kGloraA2, kGloraB1, kGloraB2},
                                       .forms = {{kGloraA1, kGloraA2, kGloraB1, kGloraB2}},
                                       .optional = {kGloraMid},
                                       .rank = RankOfGlora,
                                       .size = SizeOfGlora,
                                       .rows = RowsOfGlora,
                                       .bytes = BytesOfGlora,
                                       .reads_weight = true};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
