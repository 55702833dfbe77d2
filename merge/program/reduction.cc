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

}  // namespace

double Reduce(ReductionCode code, std::span<const float> x, std::span<const float> y) {
  return HWY_DYNAMIC_DISPATCH(ReduceFloat)(code, x.data(), y.data(), x.size());
}

double Reduce(ReductionCode code, std::span<const double> x, std::span<const double> y) {
  return HWY_DYNAMIC_DISPATCH(ReduceDouble)(code, x.data(), y.data(), x.size());
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

template <class Real>
double ReduceRun(ReductionCode code, std::span<const Real> x, std::span<const Real> y) {
  return x.size() <= kShortRun ? ReduceShort(code, x, y) : Reduce(code, x, y);
}

/// What Take does, without finding the cell of each run anew: there may be as many as elements.
template <class Real>
void ReductionBlocks::TakeRows(std::uint64_t first, std::span<const Real> x,
                               std::span<const Real> y) {
  const std::uint64_t block = first / kReductionBlock;
  std::vector<double>& results = blocks_[block];
  const std::uint64_t row = first / cells_.columns;
  auto cell = static_cast<std::size_t>(row - FirstCell(block));
  std::uint64_t run = cells_.columns - (first - row * cells_.columns);
  const std::uint64_t behind = x.size() > run ? (x.size() - run - 1) / cells_.columns + 1 : 0;
  if (results.empty()) results.reserve(kReductionBlock / cells_.columns + 2);
  results.resize(std::max<std::size_t>(results.size(), cell + 1 + behind), 0.0);
  for (std::size_t at = 0; at < x.size(); ++cell, run = cells_.columns) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(x.size() - at, run));
    const double part = ReduceRun(reduction_.code, x.subspan(at, n), y.subspan(at, n));
    results[cell] = Combine(reduction_.code, results[cell], part);
    at += n;
  }
}

template <class Real>
void ReductionBlocks::Take(std::uint64_t first, std::span<const Real> x, std::span<const Real> y) {
  if (cells_.IsRows()) return TakeRows(first, x, y.empty() ? x : y);
  const std::uint64_t block = first / kReductionBlock;
  const std::uint64_t first_cell = FirstCell(block);
  if (first % kReductionBlock == 0) Begin(block);
  std::vector<double>& results = blocks_[block];
  for (std::size_t at = 0; at < x.size();) {
    const std::uint64_t cell = cells_.CellOf(first + at) - first_cell;
    const std::uint64_t run = cells_.cell_columns == 1
                                  ? cells_.columns - (first + at) % cells_.columns
                                  : cells_.RunFrom(first + at);
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(x.size() - at, run));
    const std::span<const Real> of_x = x.subspan(at, n);
    const std::span<const Real> of_y = y.empty() ? of_x : y.subspan(at, n);
    const std::uint64_t touched = cells_.cell_columns == 1 ? n : 1;
    if (cell + touched > results.size()) results.resize(cell + touched, 0.0);
    if (cells_.cell_columns == 1) {
      ReduceColumns(reduction_.code, of_x, of_y, results.data() + cell);
    } else {
      const double part = ReduceRun(reduction_.code, of_x, of_y);
      results[cell] = Combine(reduction_.code, results[cell], part);
    }
    at += n;
  }
}

template void ReductionBlocks::Take(std::uint64_t first, std::span<const float> x,
                                    std::span<const float> y);
template void ReductionBlocks::Take(std::uint64_t first, std::span<const double> x,
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
