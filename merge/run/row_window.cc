#include "merge/run/row_window.h"

#include <algorithm>

namespace weightsmith::internal {
namespace {

/// Elements of a row: those of all its functions are the same.
std::uint64_t RowOf(const Task& task) {
  const RowValue& rows = task.rows.front();
  return std::max<std::uint64_t>(1, rows.call->Rows(task.shape).elements);
}

/// Elements of a window: a piece, and the rows in which it begins and ends.
std::uint64_t MostHeld(const Task& task) {
  return std::min(kPiece + 2 * RowOf(task), task.elements);
}

}  // namespace

void RowWindow::Begin(const Task& task, std::size_t pass) {
  if (task_ != &task) {
    Clear();
    task_ = &task;
    if (!task.rows.empty()) row_ = RowOf(task);
    for (const RowValue& rows : task.rows) {
      functions_.push_back(rows.call->MakeRowFunction(task.shape));
    }
    for (std::size_t r = 0; r < task.rows.size(); ++r) values_.emplace_back(MostHeld(task));
  }
  begin_ = end_ = 0;
  groups_.clear();
  const std::size_t operands = task.sources.size() + task.deltas.size();
  for (const std::size_t index : RowsRead(task, pass)) {
    const RowValue& rows = task.rows[index];
    const auto in_last_group = [&](Register operand) {
      return operand >= operands &&
             std::ranges::any_of(groups_.back().rows, [&](std::size_t other) {
               return task.rows[other].out == operand - operands;
             });
    };
    if (groups_.empty() || std::ranges::any_of(rows.operands, in_last_group)) {
      groups_.emplace_back();
    }
    Group& group = groups_.back();
    group.rows.push_back(index);
    for (const Register operand : rows.operands) {
      if (std::ranges::find(group.operands, operand) == group.operands.end()) {
        group.operands.push_back(operand);
      }
    }
  }
}

void RowWindow::Clear() {
  task_ = nullptr;
  groups_.clear();
  functions_.clear();
  values_.clear();
}

void RowWindow::Cover(std::uint64_t first, std::uint64_t count, const Inputs& inputs) {
  if (groups_.empty()) return;
  if (first < begin_ || first > end_) {
    begin_ = end_ = first / row_ * row_;
  }
  if (first + count <= end_) return;
  const std::uint64_t past = std::min(first, end_) - begin_;
  for (AlignedVector<float>& values : values_) {
    if (past == 0) break;
    std::copy_n(values.begin() + past, end_ - begin_ - past, values.begin());
  }
  begin_ += past;
  const std::uint64_t rows = (first + count - end_ + row_ - 1) / row_;
  Extend(std::min(rows * row_, task_->elements - end_), inputs);
}

/// Makes rows behind those that are there.
void RowWindow::Extend(std::uint64_t count, const Inputs& inputs) {
  for (const Group& group : groups_) {
    for (std::uint64_t at = 0; at < count; at += kPiece) {
      const std::uint64_t n = std::min(kPiece, count - at);
      PieceInputs piece = inputs.read(group.operands, end_ + at, n);
      piece.rows = Views(end_ + at, n);
      for (const std::size_t index : group.rows) {
        inputs.gather(piece, index, Values(index, end_ + at, n));
      }
    }
    for (const std::size_t index : group.rows) {
      inputs.poll();
      functions_[index]->Compute(Values(index, end_, count));
    }
  }
  end_ += count;
}

/// The place of some elements, whether they have been made or not.
std::span<float> RowWindow::Values(std::size_t index, std::uint64_t first, std::uint64_t count) {
  return std::span(values_[index]).subspan(first - begin_, count);
}

std::span<const std::span<const float>> RowWindow::Views(std::uint64_t first, std::uint64_t count) {
  views_.clear();
  if (groups_.empty()) return views_;
  views_.resize(task_->kept_count);
  for (const Group& group : groups_) {
    for (const std::size_t index : group.rows) {
      views_[task_->rows[index].out] = Values(index, first, count);
    }
  }
  return views_;
}

std::uint64_t RowWindowBytes(const Task& task) {
  if (task.rows.empty()) return 0;
  std::uint64_t bytes = task.deltas.size() * std::min(kPiece, task.elements) * sizeof(float);
  for (const RowValue& rows : task.rows) {
    bytes += MostHeld(task) * sizeof(float) + rows.call->Rows(task.shape).bytes;
  }
  return bytes;
}

}  // namespace weightsmith::internal
