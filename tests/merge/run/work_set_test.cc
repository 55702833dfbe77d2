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
  EXPECT_EQ(TasksOf(PlanOf({5, 0, 7}), std::nullopt), (std::vector<std::uint32_t>{0, 1, 2}));
}

TEST(TasksOf, PartsHaveEachTaskOnce) {
  const Plan plan = PlanOf({100'000, 3, 0, 7'000'000, 12, 12, 500'000, 90'000, 1, 4'000'000});
  for (const std::uint32_t count : {1u, 2u, 3u, 7u, 64u}) {
    std::vector<std::uint32_t> all;
    for (std::uint32_t number = 1; number <= count; ++number) {
      const std::vector<std::uint32_t> part = TasksOf(plan, RunPart{number, count});
      all.insert(all.end(), part.begin(), part.end());
    }
    std::vector<std::uint32_t> expected(plan.tasks.size());
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(all, expected) << count;
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

}  // namespace
}  // namespace weightsmith::internal
