#include "merge/program/reduction.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "merge/program/reduction.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "merge/program/reduction-inl.h"

#if HWY_ONCE
namespace weightsmith::internal {
namespace {

HWY_EXPORT(ReduceFloat);
HWY_EXPORT(ReduceDouble);
HWY_EXPORT(ReduceEachFloat);
HWY_EXPORT(ReduceEachDouble);
HWY_EXPORT(PairFloat);
HWY_EXPORT(PairDouble);
HWY_EXPORT(PairEachFloat);
HWY_EXPORT(PairEachDouble);

/// A run of at most as many elements as there are lanes, each in a lane of its own: the same sum
/// without the lanes.
constexpr std::size_t kShortRun = 16;

template <class Real>
double ReduceShort(ReductionCode code, std::span<const Real> x, std::span<const Real> y) {
  double result = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto value = static_cast<double>(x[i]);
    switch (code) {
      case ReductionCode::kSum:
        result += value;
        break;
      case ReductionCode::kDot:
        result += value * static_cast<double>(y[i]);
        break;
      case ReductionCode::kLargest:
        result = std::max(result, std::abs(value));
        break;
      case ReductionCode::kRanked:
        break;
    }
  }
  return result;
}

void ReduceColumns(ReductionCode code, std::span<const float> x, std::span<const float> y,
                   double* results) {
  HWY_DYNAMIC_DISPATCH(ReduceEachFloat)(code, x.data(), y.data(), x.size(), results);
}

void ReduceColumns(ReductionCode code, std::span<const double> x, std::span<const double> y,
                   double* results) {
  HWY_DYNAMIC_DISPATCH(ReduceEachDouble)(code, x.data(), y.data(), x.size(), results);
}

void PairColumns(std::span<const float> x, std::span<const float> y,
                 const std::array<double*, 3>& results) {
  HWY_DYNAMIC_DISPATCH(PairEachFloat)
  (x.data(), y.data(), x.size(), results[0], results[1], results[2]);
}

void PairColumns(std::span<const double> x, std::span<const double> y,
                 const std::array<double*, 3>& results) {
  HWY_DYNAMIC_DISPATCH(PairEachDouble)
  (x.data(), y.data(), x.size(), results[0], results[1], results[2]);
}

template <class Real>
double ReduceRun(ReductionCode code, std::span<const Real> x, std::span<const Real> y) {
  return x.size() <= kShortRun ? ReduceShort(code, x, y) : Reduce(code, x, y);
}

template <class Real>
PairDots ReducePairOfRun(std::span<const Real> x, std::span<const Real> y) {
  if (x.size() > kShortRun) return ReducePair(x, y);
  PairDots dots;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto of_x = static_cast<double>(x[i]);
    const auto of_y = static_cast<double>(y[i]);
    dots.xx += of_x * of_x;
    dots.xy += of_x * of_y;
    dots.yy += of_y * of_y;
  }
  return dots;
}

/// What one reduction takes of a tile.
template <class Real>
struct OneKernel {
  static constexpr std::size_t kCount = 1;

  std::size_t size() const { return x.size(); }
  /// A run of one cell.
  void AddRun(std::size_t at, std::size_t n, const std::array<double*, 1>& results) const {
    const double part = ReduceRun(code, x.subspan(at, n), y.subspan(at, n));
    *results[0] = Combine(code, *results[0], part);
  }
  /// A cell for each element.
  void AddColumns(std::size_t at, std::size_t n, const std::array<double*, 1>& results) const {
    ReduceColumns(code, x.subspan(at, n), y.subspan(at, n), results[0]);
  }

  ReductionCode code;
  std::span<const Real> x;
  std::span<const Real> y;
};

/// What x·x, x·y and y·y take of it.
template <class Real>
struct PairKernel {
  static constexpr std::size_t kCount = 3;

  std::size_t size() const { return x.size(); }
  void AddRun(std::size_t at, std::size_t n, const std::array<double*, 3>& results) const {
    const PairDots parts = ReducePairOfRun(x.subspan(at, n), y.subspan(at, n));
    *results[0] += parts.xx;
    *results[1] += parts.xy;
    *results[2] += parts.yy;
  }
  void AddColumns(std::size_t at, std::size_t n, const std::array<double*, 3>& results) const {
    PairColumns(x.subspan(at, n), y.subspan(at, n), results);
  }

  std::span<const Real> x;
  std::span<const Real> y;
};

}  // namespace

double Reduce(ReductionCode code, std::span<const float> x, std::span<const float> y) {
  return HWY_DYNAMIC_DISPATCH(ReduceFloat)(code, x.data(), y.data(), x.size());
}

double Reduce(ReductionCode code, std::span<const double> x, std::span<const double> y) {
  return HWY_DYNAMIC_DISPATCH(ReduceDouble)(code, x.data(), y.data(), x.size());
}

PairDots ReducePair(std::span<const float> x, std::span<const float> y) {
  return HWY_DYNAMIC_DISPATCH(PairFloat)(x.data(), y.data(), x.size());
}

PairDots ReducePair(std::span<const double> x, std::span<const double> y) {
  return HWY_DYNAMIC_DISPATCH(PairDouble)(x.data(), y.data(), x.size());
}

double Combine(ReductionCode code, double a, double b) {
  return code == ReductionCode::kLargest ? std::max(a, b) : a + b;
}

ReductionBlocks::ReductionBlocks(const Reduction& reduction, std::uint64_t elements)
    : reduction_(reduction),
      elements_(elements),
      cells_(reduction.cells.value_or(Grid::Whole(elements))) {
  blocks_.resize((elements + kReductionBlock - 1) / kReductionBlock);
  folded_ = std::make_unique<Folded>();
  folded_->ended.resize(blocks_.size());
}

/// A block inside of one row touches nothing in front of its own cells, however wide the row is.
std::uint64_t ReductionBlocks::FirstCell(std::uint64_t block) const {
  const std::uint64_t first = block * kReductionBlock;
  const std::uint64_t last = std::min(first + kReductionBlock, elements_) - 1;
  const bool one_row = first / cells_.columns == last / cells_.columns;
  return one_row ? cells_.CellOf(first) : cells_.FirstCellFrom(first);
}

/// What TakeAll does, without finding the cell of each run anew: there may be as many as elements.
template <class Kernel>
void ReductionBlocks::TakeRows(const std::array<ReductionBlocks*, Kernel::kCount>& all,
                               std::uint64_t first, const Kernel& kernel) {
  const ReductionBlocks& any = *all.front();
  const std::uint64_t columns = any.cells_.columns;
  const std::size_t size = kernel.size();
  const std::uint64_t block = first / kReductionBlock;
  const std::uint64_t row = first / columns;
  const auto cell = static_cast<std::size_t>(row - any.FirstCell(block));
  std::uint64_t run = columns - (first - row * columns);
  const std::uint64_t behind = size > run ? (size - run - 1) / columns + 1 : 0;
  std::array<double*, Kernel::kCount> at_cell{};
  for (std::size_t k = 0; k < all.size(); ++k) {
    std::vector<double>& results = all[k]->blocks_[block];
    if (results.empty()) results.reserve(kReductionBlock / columns + 2);
    results.resize(std::max<std::size_t>(results.size(), cell + 1 + behind), 0.0);
    at_cell[k] = results.data() + cell;
  }
  for (std::size_t at = 0; at < size; run = columns) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(size - at, run));
    kernel.AddRun(at, n, at_cell);
    for (double*& result : at_cell) ++result;
    at += n;
  }
}

template <class Kernel>
void ReductionBlocks::TakeAll(const std::array<ReductionBlocks*, Kernel::kCount>& all,
                              std::uint64_t first, const Kernel& kernel) {
  const ReductionBlocks& any = *all.front();
  const Grid& cells = any.cells_;
  if (cells.IsRows()) return TakeRows(all, first, kernel);
  const std::uint64_t block = first / kReductionBlock;
  const std::uint64_t first_cell = any.FirstCell(block);
  for (ReductionBlocks* own : all) {
    if (own->blocks_[block].empty()) own->Begin(block);
  }
  const bool each = cells.cell_columns == 1;
  for (std::size_t at = 0; at < kernel.size();) {
    const std::uint64_t cell = cells.CellOf(first + at) - first_cell;
    const std::uint64_t run =
        each ? cells.columns - (first + at) % cells.columns : cells.RunFrom(first + at);
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(kernel.size() - at, run));
    const std::uint64_t touched = each ? n : 1;
    std::array<double*, Kernel::kCount> at_cell{};
    for (std::size_t k = 0; k < all.size(); ++k) {
      std::vector<double>& results = all[k]->blocks_[block];
      if (cell + touched > results.size()) results.resize(cell + touched, 0.0);
      at_cell[k] = results.data() + cell;
    }
    if (each) {
      kernel.AddColumns(at, n, at_cell);
    } else {
      kernel.AddRun(at, n, at_cell);
    }
    at += n;
  }
}

template <class Real>
void ReductionBlocks::Take(std::uint64_t first, std::span<const Real> x, std::span<const Real> y) {
  TakeAll({this}, first, OneKernel<Real>{reduction_.code, x, y.empty() ? x : y});
}

template <class Real>
void ReductionBlocks::TakePair(const std::array<ReductionBlocks*, 3>& dots, std::uint64_t first,
                               std::span<const Real> x, std::span<const Real> y) {
  TakeAll(dots, first, PairKernel<Real>{x, y});
}

template void ReductionBlocks::Take(std::uint64_t first, std::span<const float> x,
                                    std::span<const float> y);
template void ReductionBlocks::Take(std::uint64_t first, std::span<const double> x,
                                    std::span<const double> y);
template void ReductionBlocks::TakePair(const std::array<ReductionBlocks*, 3>& dots,
                                        std::uint64_t first, std::span<const float> x,
                                        std::span<const float> y);
template void ReductionBlocks::TakePair(const std::array<ReductionBlocks*, 3>& dots,
                                        std::uint64_t first, std::span<const double> x,
                                        std::span<const double> y);

std::uint64_t ReductionBlocks::CellCount() const {
  return reduction_.cells ? cells_.CellCount(elements_) : 1;
}

void ReductionBlocks::FoldBlock(std::uint64_t block, std::vector<double>& results) const {
  const std::span<const double> parts = blocks_[block];
  const std::span<double> own = std::span(results).subspan(FirstCell(block), parts.size());
  if (reduction_.code == ReductionCode::kLargest) {
    for (std::size_t i = 0; i < parts.size(); ++i) own[i] = std::max(own[i], parts[i]);
  } else {
    for (std::size_t i = 0; i < parts.size(); ++i) own[i] += parts[i];
  }
}

/// With memory of a block that was folded.
void ReductionBlocks::Begin(std::uint64_t block) {
  const std::scoped_lock lock(folded_->mutex);
  if (folded_->spare.empty()) return;
  blocks_[block] = std::move(folded_->spare.back());
  folded_->spare.pop_back();
}

void ReductionBlocks::EndBlock(std::uint64_t block) {
  const std::scoped_lock lock(folded_->mutex);
  if (folded_->results.empty()) folded_->results.resize(CellCount());
  folded_->ended[block] = true;
  for (; folded_->next < blocks_.size() && folded_->ended[folded_->next]; ++folded_->next) {
    FoldBlock(folded_->next, folded_->results);
    blocks_[folded_->next].clear();
    folded_->spare.push_back(std::move(blocks_[folded_->next]));
  }
}

std::vector<double> ReductionBlocks::Fold() const {
  std::vector<double> results = folded_->results;
  results.resize(CellCount());
  for (std::uint64_t block = folded_->next; block < blocks_.size(); ++block) {
    FoldBlock(block, results);
  }
  return results;
}

ReductionBlocks::Cells ReductionBlocks::Inside(std::uint64_t block) const {
  const std::uint64_t first = block * kReductionBlock;
  const std::uint64_t end = std::min(first + kReductionBlock, elements_);
  const std::uint64_t first_cell = (first + cells_.columns - 1) / cells_.columns;
  const std::uint64_t end_cell =
      end == elements_ ? cells_.CellCount(elements_) : end / cells_.columns;
  if (first_cell >= end_cell) return {first_cell, {}};
  return {first_cell,
          std::span(blocks_[block]).subspan(first_cell - FirstCell(block), end_cell - first_cell)};
}

void ReductionBlocks::ForgetInside(std::uint64_t block) {
  const Cells inside = Inside(block);
  std::vector<double>& results = blocks_[block];
  std::vector<double> edges;
  if (inside.results.empty()) {
    edges = results;
  } else {
    if (FirstCell(block) < inside.first) edges.push_back(results.front());
    if (&inside.results.back() != &results.back()) edges.push_back(results.back());
  }
  results = std::move(edges);
}

std::vector<std::pair<std::uint64_t, double>> ReductionBlocks::Edges() const {
  std::vector<std::pair<std::uint64_t, double>> edges;
  for (std::uint64_t block = 0; block < blocks_.size(); ++block) {
    const std::uint64_t first = block * kReductionBlock;
    const std::uint64_t last = std::min(first + kReductionBlock, elements_) - 1;
    // Without a row that began before the block, what is left is the row that ends behind it.
    std::uint64_t cell = cells_.CellOf(first % cells_.columns == 0 ? last : first);
    for (const double part : blocks_[block]) {
      if (!edges.empty() && edges.back().first == cell) {
        double& result = edges.back().second;
        result = Combine(reduction_.code, result, part);
      } else {
        edges.emplace_back(cell, Combine(reduction_.code, 0.0, part));
      }
      cell = cells_.CellOf(last);
    }
  }
  return edges;
}

}  // namespace weightsmith::internal
#endif  // HWY_ONCE
