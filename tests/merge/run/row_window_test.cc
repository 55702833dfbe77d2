// Rows that are made where a piece of a tensor needs them. The function here turns each row around,
// so that an element depends on one at the other end of its row.
#include "merge/run/row_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace weightsmith::internal {
namespace {

using ::testing::IsEmpty;

class Turned final : public RowFunction {
 public:
  explicit Turned(std::size_t columns) : columns_(columns) {}
  void Compute(std::span<float> rows) override {
    ASSERT_EQ(rows.size() % columns_, 0);
    for (std::size_t at = 0; at < rows.size(); at += columns_) {
      std::ranges::reverse(rows.subspan(at, columns_));
    }
  }

 private:
  std::size_t columns_;
};

const TensorFunction<NoParameters> kTurned{
    .name = "turned",
    .compute = nullptr,
    .by_row = [](const Shape& shape, const NoParameters& /*parameters*/) -> ByRow {
      return {.elements = shape[1], .bytes = 100};
    },
    .rows = [](const Shape& shape, const NoParameters& /*parameters*/)
        -> std::unique_ptr<RowFunction> { return std::make_unique<Turned>(shape[1]); }};

/// A task of a number of values that are made by row, each of the one before.
Task TaskOf(const Shape& shape, std::size_t values) {
  Task task{.shape = shape, .elements = shape[0] * shape[1]};
  for (std::size_t v = 0; v < values; ++v) {
    RowValue rows{.call = std::make_shared<TensorCallOf<NoParameters>>(kTurned, NoParameters{}),
                  .out = static_cast<KeptIndex>(v)};
    if (v > 0) rows.operands.push_back(static_cast<Register>(v - 1));
    task.rows.push_back(rows);
  }
  task.kept = {static_cast<KeptIndex>(values - 1)};
  task.kept_count = static_cast<KeptIndex>(values);
  return task;
}

/// Covers pieces of a task, whose elements are their indices.
class Covering {
 public:
  explicit Covering(const Task& task) : task_(task) { window_.Begin(task, 0); }

  std::vector<float> Piece(std::uint64_t first, std::uint64_t count) {
    const auto read = [&](std::span<const Register> /*operands*/, std::uint64_t from,
                          std::uint64_t n) {
      PieceInputs piece;
      piece.task = &task_;
      piece.first = from;
      piece.count = n;
      return piece;
    };
    const auto gather = [&](const PieceInputs& piece, std::size_t index, std::span<float> values) {
      EXPECT_LE(values.size(), kPiece);
      if (index > 0) {
        std::ranges::copy(piece.rows[index - 1], values.begin());
        return;
      }
      gathered += values.size();
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>(piece.first + i);
      }
    };
    window_.Cover(first, count, {read, gather, [] {}});
    const std::span<const float> view = window_.Views(first, count)[task_.kept.front()];
    return {view.begin(), view.end()};
  }

  std::uint64_t gathered = 0;

 private:
  const Task& task_;
  RowWindow window_;
};

/// The index of the element that stands in the place of another, in turned rows.
std::vector<float> Expected(std::uint64_t columns, std::uint64_t first, std::uint64_t count) {
  std::vector<float> values;
  for (std::uint64_t i = first; i < first + count; ++i) {
    values.push_back(static_cast<float>(i / columns * columns + columns - 1 - i % columns));
  }
  return values;
}

TEST(RowWindow, HasWholeRowsForPiecesThatEndInsideOfThem) {
  for (const std::uint64_t columns : {1u, 5u, 1000u, 32'768u, 50'001u, 100'000u}) {
    SCOPED_TRACE(columns);
    const Task task = TaskOf({300'000 / columns, columns}, 1);
    Covering covering(task);
    for (std::uint64_t first = 0; first < task.elements; first += kPiece) {
      const std::uint64_t count = std::min(kPiece, task.elements - first);
      ASSERT_EQ(covering.Piece(first, count), Expected(columns, first, count)) << first;
    }
    EXPECT_EQ(covering.gathered, task.elements);
  }
}

TEST(RowWindow, MayBeginAndGoOnAnywhere) {
  const Task task = TaskOf({40, 7000}, 1);
  Covering covering(task);
  for (const std::uint64_t first : {60'000u, 62'500u, 200'001u, 10u, 11u, 279'000u}) {
    EXPECT_EQ(covering.Piece(first, 1000), Expected(7000, first, 1000)) << first;
  }
}

TEST(RowWindow, MakesAValueOfAnother) {
  const Task task = TaskOf({30, 7001}, 2);
  Covering covering(task);
  for (std::uint64_t first = 0; first < task.elements; first += kPiece) {
    const std::uint64_t count = std::min(kPiece, task.elements - first);
    // Turned twice, all stand where they stood.
    ASSERT_EQ(covering.Piece(first, count), Expected(1, first, count)) << first;
  }
}

TEST(RowWindow, HoldsSomeRowsAndNotTheTensor) {
  EXPECT_EQ(RowWindowBytes({}), 0);
  // A piece, the rows in which it begins and ends, and what the function says of itself.
  EXPECT_EQ(RowWindowBytes(TaskOf({100'000, 1024}, 1)), (kPiece + 2048) * sizeof(float) + 100);
  EXPECT_EQ(RowWindowBytes(TaskOf({3, 5}, 2)), 2 * (15 * sizeof(float) + 100));
}

TEST(RowWindow, HasNothingOfATaskWithoutRows) {
  const Task task{.shape = {2, 3}, .elements = 6};
  RowWindow window;
  window.Begin(task, 0);
  window.Cover(0, 6, {});
  EXPECT_THAT(window.Views(0, 6), IsEmpty());
}

}  // namespace
}  // namespace weightsmith::internal
