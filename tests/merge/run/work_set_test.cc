#include "merge/run/work_set.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace weightsmith::internal {
namespace {

Plan PlanOf(const std::vector<std::uint64_t>& elements) {
  Plan plan;
  for (const std::uint64_t count : elements) {
    Task task{.shape = {count}, .elements = count};
    task.products.push_back({.dtype = DType::kF32});
    plan.tasks.push_back(std::move(task));
  }
  return plan;
}

TEST(TasksOf, WithoutAPartAreAll) {
  const WorkSet all = {{0}, {1}, {2}};
  EXPECT_EQ(TasksOf(PlanOf({5, 0, 7}), std::nullopt), all);
}

TEST(TasksOf, PartsHaveEachTaskOnce) {
  const Plan plan = PlanOf({100'000, 3, 0, 7'000'000, 12, 12, 500'000, 90'000, 1, 4'000'000});
  for (const std::uint32_t count : {1u, 2u, 3u, 7u, 64u}) {
    WorkSet all;
    for (std::uint32_t number = 1; number <= count; ++number) {
      const WorkSet part = TasksOf(plan, RunPart{number, count});
      all.insert(all.end(), part.begin(), part.end());
    }
    std::vector<std::uint32_t> expected(plan.tasks.size());
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(all, WholeTasks(expected)) << count;
  }
}

TEST(TasksOf, PartsHaveAboutEqualBytes) {
  const Plan plan = PlanOf(std::vector<std::uint64_t>(1000, 50'000));
  for (std::uint32_t number = 1; number <= 8; ++number) {
    EXPECT_NEAR(static_cast<double>(TasksOf(plan, RunPart{number, 8}).size()), 125, 1) << number;
  }
}

TEST(TasksOf, APlanWithoutTasksHasNone) {
  EXPECT_TRUE(TasksOf(PlanOf({}), RunPart{1, 2}).empty());
}

/// A plan of such tensors, each computed from two of its size.
Plan PlanOfBlends(const std::vector<std::uint64_t>& elements) {
  Plan plan = PlanOf(elements);
  for (Task& task : plan.tasks) {
    task.sources.resize(2);
    task.tape.probes.resize(1);
  }
  return plan;
}

TEST(SampleOf, HasTheSameTilesOfEveryTensor) {
  // 6 sources, and 2 KiB for a tile of each: 3 tiles.
  const SampleWork sample = SampleOf(PlanOfBlends({10'000, 500, 4096}), 3 * 6 * 2048);
  const WorkSet expected = {{0, Chunk{0, 0, 3072}}, {1, Chunk{1, 0, 500}}, {2, Chunk{2, 0, 3072}}};
  EXPECT_EQ(sample.work, expected);
  EXPECT_DOUBLE_EQ(sample.share, (3072.0 + 500 + 3072) / (10'000 + 500 + 4096));
}

TEST(SampleOf, LeavesOutWhatNoStepChanges) {
  Plan plan = PlanOfBlends({2000, 2000});
  plan.tasks[0].tape.probes.clear();
  EXPECT_EQ(SampleOf(plan, 0).work, (WorkSet{{1, Chunk{1, 0, 1024}}}));
}

TEST(SampleOf, HasSmallTensorsOfSeveralPassesWhole) {
  Plan plan = PlanOfBlends({16'384, 16'385});
  for (Task& task : plan.tasks) task.passes.resize(1);
  EXPECT_EQ(SampleOf(plan, 0).work, (WorkSet{{0}}));
}

TEST(SampleOf, OfNothingIsWhole) {
  EXPECT_TRUE(SampleOf(PlanOf({5}), 1 << 20).work.empty());
  EXPECT_EQ(SampleOf(PlanOf({5}), 1 << 20).share, 1);
}

}  // namespace
}  // namespace weightsmith::internal
