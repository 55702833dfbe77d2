// How many elements of deltas are made at a time. The oracle tries one number of rows after
// another.
#include "merge/run/buffer_sizes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "merge/adapters/low_rank.h"
#include "merge/run/tile_runner.h"

namespace weightsmith::internal {
namespace {

using ::testing::IsEmpty;

/// A task of one adapter that changes a tensor of this shape.
Task TaskWithDelta(const Shape& shape) {
  Task task{.shape = shape, .elements = 1};
  for (const std::uint64_t size : shape) task.elements *= size;
  task.deltas.emplace_back().shape = shape;
  return task;
}

/// Groups of rows, up to four, as long as they fit in eight pieces; and so many of these as a
/// quarter of a piece takes. Rows of which no group fits are not kept together.
std::uint64_t BlockByLoop(std::uint64_t columns) {
  std::uint64_t rows = 0;
  for (std::uint64_t groups = 1; groups <= 4; ++groups) {
    if (groups * LowRank::kRows * columns <= 8 * kPiece) rows = groups * LowRank::kRows;
  }
  if (rows == 0) return 8 * kPiece;
  std::uint64_t block = 0;
  while (block < kPiece / 4) block += rows * columns;
  return block;
}

TEST(DeltaBlock, IsWholeGroupsOfRowsOfAnyWidth) {
  std::vector<std::uint64_t> wrong;
  for (std::uint64_t columns = 1; columns < 9 * kPiece; columns += 1 + columns / 16) {
    if (DeltaBlock(TaskWithDelta({7, columns})) != BlockByLoop(columns)) wrong.push_back(columns);
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(DeltaBlock, IsWhatItIsAtTheEndsOfWhatFits) {
  const std::uint64_t most = 8 * kPiece;
  for (const std::uint64_t groups : {1U, 2U, 3U, 4U}) {
    const std::uint64_t rows = groups * LowRank::kRows;
    const std::uint64_t widest = most / rows;
    EXPECT_EQ(DeltaBlock(TaskWithDelta({7, widest})), rows * widest) << groups;
    const std::uint64_t fewer = groups > 1 ? (rows - LowRank::kRows) * (widest + 1) : most;
    EXPECT_EQ(DeltaBlock(TaskWithDelta({7, widest + 1})), fewer) << groups;
  }
  EXPECT_EQ(DeltaBlock(TaskWithDelta({7, 8 * most})), most);
}

TEST(DeltaBlock, OfWeightsThatModelsHave) {
  EXPECT_EQ(DeltaBlock(TaskWithDelta({320, 4, 3, 3})), 10 * 24 * 36);
  EXPECT_EQ(DeltaBlock(TaskWithDelta({640, 320})), 2 * 24 * 320);
  EXPECT_EQ(DeltaBlock(TaskWithDelta({4096, 4096})), 24 * 4096);
  EXPECT_EQ(DeltaBlock(TaskWithDelta({4096, 14336})), 18 * 14336);
  EXPECT_EQ(DeltaBlock(TaskWithDelta({1280})), 342 * 24);  // a column
}

TEST(DeltaBlock, NeverHasMoreThanItsBufferHolds) {
  Plan plan;
  for (const std::uint64_t columns : {1U, 36U, 320U, 14336U, 60000U}) {
    Task task = TaskWithDelta({4096, columns});
    const std::uint64_t block = DeltaBlock(task) * sizeof(float);
    plan.tasks = {task};
    const std::uint64_t with = WorkerBytes(plan);
    plan.tasks[0].deltas.clear();
    // The delta's, and another that a family may need.
    EXPECT_GE(with - WorkerBytes(plan), 2 * block) << columns;
  }
}

TEST(DeltaBlock, IsAPieceWhereNothingIsMadeByRows) {
  Task without = TaskWithDelta({320, 320});
  without.deltas.clear();
  EXPECT_EQ(DeltaBlock(without), kPiece);
  EXPECT_EQ(DeltaBlock(TaskWithDelta({320, 0})), kPiece);
  // Groups of elements are counted from the beginning of a tile.
  Task grouped = TaskWithDelta({4096, 14336});
  grouped.tape.instructions.push_back({.code = OpCode::kKeepLargest});
  EXPECT_EQ(DeltaBlock(grouped), kPiece);
  EXPECT_EQ(DeltaBlock(grouped) % kTile, 0);
}

}  // namespace
}  // namespace weightsmith::internal
