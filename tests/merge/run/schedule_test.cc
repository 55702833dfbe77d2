#include "merge/run/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kChunk = std::uint64_t{1} << 18;  // elements of F32 in a digest block

Task TaskOf(std::uint64_t elements, std::size_t passes) {
  Task task{.shape = {elements}, .elements = elements};
  task.products.push_back({.dtype = DType::kF32});
  // A pass that keeps what no tape fills.
  task.passes.resize(passes);
  return task;
}

class ScheduleTest : public ::testing::Test {
 protected:
  /// "task:chunk", or "task|" of work between two passes.
  static std::string Word(const WorkItem& item) {
    const std::string task = std::to_string(item.chunk.task);
    return item.between ? task + "|" : task + ":" + std::to_string(item.index);
  }

  /// Does what a thread does with work, but for the computing.
  void Do(Schedule& schedule, WorkItem item) {
    if (item.between && item.state == nullptr) {
      item.state = std::make_shared<TaskState>(plan, item.chunk.task, digests, [] {});
    } else if (item.between) {
      item.state->EndPass([] {});
    }
    schedule.Done(item, {.chunk = item.chunk});
  }

  /// Of whole tasks.
  Schedule ScheduleOf(const std::vector<std::uint32_t>& tasks, std::uint64_t state_bytes) {
    work = WholeTasks(tasks);
    return ScheduleOfWork(state_bytes);
  }
  Schedule ScheduleOfWork(std::uint64_t state_bytes) const {
    return {plan, work, state_bytes,
            [this](std::uint32_t task) { return !finished.contains(task); }};
  }

  std::vector<std::uint32_t> Complete(Schedule& schedule) {
    std::vector<std::uint32_t> tasks;
    schedule.TakeComplete(
        [&](std::uint32_t task, std::span<const ChunkResult>) { tasks.push_back(task); });
    return tasks;
  }

  Plan plan;
  WorkSet work;
  std::set<std::uint32_t> finished;
  AdapterDigests digests;
};

TEST_F(ScheduleTest, GivesChunksInTheOrderOfTasks) {
  plan.tasks = {TaskOf(2 * kChunk + 1, 0), TaskOf(0, 0), TaskOf(1, 0)};
  Schedule schedule = ScheduleOf({0, 1, 2}, 0);
  std::vector<std::string> words;
  while (auto item = schedule.Next()) {
    words.push_back(Word(*item));
    if (item->chunk.task == 0 && item->index == 2) {
      EXPECT_EQ(item->chunk.count, 1u);
    }
    Do(schedule, *std::move(item));
  }
  EXPECT_THAT(words, ElementsAre("0:0", "0:1", "0:2", "1:0", "2:0"));
  EXPECT_THAT(Complete(schedule), ElementsAre(0, 1, 2));
}

TEST_F(ScheduleTest, TasksAreCompleteInTheirOrder) {
  plan.tasks = {TaskOf(1, 0), TaskOf(1, 0)};
  Schedule schedule = ScheduleOf({0, 1}, 0);
  WorkItem first = schedule.Next().value();
  Do(schedule, schedule.Next().value());
  EXPECT_THAT(Complete(schedule), IsEmpty());
  Do(schedule, std::move(first));
  EXPECT_THAT(Complete(schedule), ElementsAre(0, 1));
}

TEST_F(ScheduleTest, OthersBeginTheNextTaskWhileAPassEnds) {
  plan.tasks = {TaskOf(1, 1), TaskOf(1, 0)};
  Schedule schedule = ScheduleOf({0, 1}, 0);
  WorkItem begin = schedule.Next().value();
  EXPECT_EQ(Word(begin), "0|");
  EXPECT_EQ(Word(schedule.Next().value()), "1:0");  // what the first one waits for is not given yet
  Do(schedule, std::move(begin));
  WorkItem gather = schedule.Next().value();
  EXPECT_EQ(Word(gather), "0:0");
  EXPECT_FALSE(schedule.Next().has_value());
  Do(schedule, std::move(gather));
  WorkItem between = schedule.Next().value();
  EXPECT_EQ(Word(between), "0|");
  Do(schedule, std::move(between));
  WorkItem store = schedule.Next().value();
  EXPECT_EQ(Word(store), "0:0");
  EXPECT_TRUE(store.state->storing());
  Do(schedule, std::move(store));
  EXPECT_THAT(Complete(schedule), ElementsAre(0));
}

TEST_F(ScheduleTest, StatesStayWithinTheirMemory) {
  plan.tasks = {TaskOf(1, 1), TaskOf(1, 1)};
  for (Task& task : plan.tasks) task.kept_count = 1;
  const std::uint64_t one = StateBytes(plan.tasks[0]);
  ASSERT_GT(one, 0u);
  Schedule narrow = ScheduleOf({0, 1}, one);
  EXPECT_EQ(Word(narrow.Next().value()), "0|");
  EXPECT_FALSE(narrow.Next().has_value());
  Schedule wide = ScheduleOf({0, 1}, 2 * one);
  EXPECT_EQ(Word(wide.Next().value()), "0|");
  EXPECT_EQ(Word(wide.Next().value()), "1|");
}

TEST_F(ScheduleTest, LeavesOutWhatIsNotNeededWhenItsTurnComes) {
  plan.tasks = {TaskOf(1, 0), TaskOf(1, 1), TaskOf(1, 0), TaskOf(1, 0)};
  finished = {1};
  Schedule schedule = ScheduleOf({0, 1, 2, 3}, 0);
  Do(schedule, schedule.Next().value());
  finished.insert(2);
  EXPECT_EQ(Word(schedule.Next().value()), "3:0");
  EXPECT_FALSE(schedule.Next().has_value());
}

TEST_F(ScheduleTest, GivesPartsOfATaskEachForItself) {
  plan.tasks = {TaskOf(2 * kChunk, 0)};
  work = {{0, Chunk{0, 0, 1024}}, {0, ChunkOf(plan, 0, 1)}};
  Schedule schedule = ScheduleOfWork(0);
  WorkItem first = schedule.Next().value();
  WorkItem second = schedule.Next().value();
  EXPECT_EQ(first.chunk, (Chunk{0, 0, 1024}));
  EXPECT_EQ(second.chunk, (Chunk{0, kChunk, kChunk}));
  EXPECT_FALSE(schedule.Next().has_value());
  Do(schedule, std::move(second));
  EXPECT_THAT(Complete(schedule), IsEmpty());
  Do(schedule, std::move(first));
  EXPECT_THAT(Complete(schedule), ElementsAre(0, 0));
}

TEST_F(ScheduleTest, OneStateMayTakeMoreThanTheWindow) {
  plan.tasks = {TaskOf(1, 1)};
  plan.tasks[0].kept_count = 1;
  Schedule schedule = ScheduleOf({0}, 0);
  EXPECT_TRUE(schedule.Next().has_value());
}

}  // namespace
}  // namespace weightsmith::internal
