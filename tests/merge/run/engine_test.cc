#include "merge/run/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "merge/run/executor.h"
#include "merge/run/memory_destination.h"
#include "merge/run/output_index.h"
#include "merge/run/results.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

/// What would be in a file, without its header.
std::string DataOf(const Checkpoint& checkpoint) {
  std::string data;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    const std::vector<std::byte> bytes = checkpoint.Read(tensor);
    data += tensor.name + ":";
    data.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return data;
}

Error ThrownBy(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorCode::kFailed, "none");
}

/// Tensors of one chunk and of several, each computed in two passes.
class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    const Tensors a{{"u", PatternValues(3000, 1)},
                    {"v", PatternValues(700'000, 2)},
                    {"w", PatternValues(5, 3)}};
    const Tensors b{{"u", PatternValues(3000, 4)},
                    {"v", PatternValues(700'000, 5)},
                    {"w", PatternValues(5, 6)}};
    const std::vector<NodeId> models{maker_.Add("a", DType::kF16, a),
                                     maker_.Add("b", DType::kF16, b)};
    plan_ = maker_.MakePlanOf(maker_.Step("mix", "slerp", models, {0.3, 0}));
    internal::Run(plan_, {});
    expected_ = DataOf(*Checkpoint::Open(maker_.Out()));
  }

  /// The numbers of the tasks that the sink was given, in this order.
  class Order final : public Sink {
   public:
    void Take(std::uint32_t task, TaskResult&& /*result*/) override { tasks.push_back(task); }
    std::vector<std::uint32_t> tasks;
  };

  /// Files of the plan in memory, without a name.
  std::string Computed(Engine& engine, const std::vector<WorkSet>& works, int threads) const {
    MemoryDestination destination(plan_);
    Results results(plan_, &destination);
    for (const WorkSet& work : works) engine.Compute(work, results, {.threads = threads});
    EXPECT_EQ(results.left(), 0U);
    return DataOf(*std::move(destination).Take());
  }

  ModelMaker maker_;
  Plan plan_;
  std::string expected_;
};

TEST_F(EngineTest, EverythingIsTheSameInAFileAndInMemory) {
  Engine engine(plan_);
  for (const int threads : {1, 3}) {
    EXPECT_TRUE(Computed(engine, {TasksOf(plan_, std::nullopt)}, threads) == expected_) << threads;
  }
}

TEST_F(EngineTest, PartsAreTheSameTogether) {
  Engine engine(plan_);
  std::vector<WorkSet> parts;
  for (const std::uint32_t number : {3u, 1u, 2u}) parts.push_back(TasksOf(plan_, {{number, 3}}));
  EXPECT_TRUE(Computed(engine, parts, 2) == expected_);
}

TEST_F(EngineTest, PartsOfARunAreTheSameInAFile) {
  std::filesystem::remove(maker_.Out());
  for (const std::uint32_t number : {2u, 3u, 1u}) {
    RunOptions options;
    options.part = RunPart{number, 3};
    const Report report = internal::Run(plan_, options);
    EXPECT_EQ(report.tensors_left.has_value(), number != 1) << number;
  }
  EXPECT_TRUE(DataOf(*Checkpoint::Open(maker_.Out())) == expected_);
}

TEST_F(EngineTest, TensorsOneByOneAreTheSame) {
  Engine engine(plan_);
  const OutputIndex index(plan_);
  std::string data;
  for (const char* const name : {"u", "v", "w"}) {
    const IndexedTensor& tensor = index.Find(name);
    ASSERT_THAT(tensor.tasks, SizeIs(1)) << name;
    MemoryDestination destination(plan_, tensor.file, *tensor.entry);
    Sink sink(&destination);
    engine.Compute(WholeTasks(tensor.tasks), sink, {.digests = false, .effects = false});
    data += DataOf(*std::move(destination).Take());
  }
  EXPECT_TRUE(data == expected_);
}

TEST_F(EngineTest, LearnsTheSameWhereNothingIsWritten) {
  Engine engine(plan_);
  Results written(plan_);
  engine.Compute(TasksOf(plan_, std::nullopt), written, {.threads = 2});
  const std::vector<TaskResult> results = std::move(written).All();
  const Report report = MakeReport(plan_, results, false);
  std::filesystem::remove(maker_.Out());
  const Report run = internal::Run(plan_, {});
  EXPECT_EQ(report.outputs[0].digest, run.outputs[0].digest);
  EXPECT_EQ(report.inputs[0].digest, run.inputs[0].digest);
  EXPECT_EQ(report.steps[0].effect.change_squares, run.steps[0].effect.change_squares);
  EXPECT_EQ(report.bytes_written, run.bytes_written);
}

TEST_F(EngineTest, ASampleIsTheSameEachTime) {
  const Report first = internal::Sample(plan_, {}, 1 << 16);
  const Report second = internal::Sample(plan_, {}, 1 << 16);
  EXPECT_TRUE(first.sampled);
  EXPECT_GT(first.steps[0].effect.changed, 0U);
  EXPECT_EQ(first.steps[0].effect.change_squares, second.steps[0].effect.change_squares);
  EXPECT_EQ(first.bytes_read, second.bytes_read);
  EXPECT_EQ(first.bytes_written, 0U);
}

TEST_F(EngineTest, GivesResultsInTheOrderOfTheWork) {
  Engine engine(plan_);
  Order order;
  engine.Compute(WholeTasks(std::vector<std::uint32_t>{2, 0, 1}), order, {.threads = 4});
  EXPECT_THAT(order.tasks, ElementsAre(2, 0, 1));
}

TEST_F(EngineTest, DoesNotComputeWhatTheSinkHas) {
  Engine engine(plan_);
  Results results(plan_);
  engine.Compute({{1}}, results, {});
  EXPECT_EQ(results.left(), 2U);
  std::uint64_t read = 0;
  const auto progress = [&](const Progress& now) {
    read = now.bytes_read;
    return true;
  };
  engine.Compute({{1}}, results, {.progress = progress});
  EXPECT_EQ(read, 0U);
}

TEST_F(EngineTest, StopsWhenItIsCancelledAndCanBeUsedAgain) {
  Engine engine(plan_);
  for (const int threads : {1, 3}) {
    std::atomic<bool> cancel{false};
    Sink sink;
    const auto progress = [&](const Progress&) {
      cancel = true;
      return true;
    };
    const ComputeOptions options{.threads = threads, .progress = progress, .cancel = &cancel};
    const Error error =
        ThrownBy([&] { engine.Compute(TasksOf(plan_, std::nullopt), sink, options); });
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
    EXPECT_TRUE(Computed(engine, {TasksOf(plan_, std::nullopt)}, threads) == expected_);
  }
}

TEST_F(EngineTest, AnErrorOfTheSinkEndsTheComputation) {
  class Full final : public Sink {
   public:
    void Take(std::uint32_t /*task*/, TaskResult&& /*result*/) override {
      throw Error(ErrorCode::kResources, "full");
    }
  };
  class Broken final : public Destination {
   public:
    void Write(std::uint32_t, std::uint64_t, std::span<const std::byte>) override {
      throw Error(ErrorCode::kFailed, "broken");
    }
  };
  Engine engine(plan_);
  Broken broken;
  for (const int threads : {1, 3}) {
    Full full;
    const auto work = TasksOf(plan_, std::nullopt);
    const Error first = ThrownBy([&] { engine.Compute(work, full, {.threads = threads}); });
    EXPECT_EQ(first.code(), ErrorCode::kResources);
    EXPECT_STREQ(first.what(), "full");
    Sink sink(&broken);
    const Error second = ThrownBy([&] { engine.Compute(work, sink, {.threads = threads}); });
    EXPECT_STREQ(second.what(), "merging: broken");
    EXPECT_TRUE(Computed(engine, {work}, threads) == expected_);
  }
}

TEST_F(EngineTest, ComputesForSeveralThreadsAtOnce) {
  Engine engine(plan_);
  std::vector<std::string> found(4);
  {
    std::vector<std::jthread> threads;
    for (std::string& data : found) {
      threads.emplace_back([&] { data = Computed(engine, {TasksOf(plan_, std::nullopt)}, 1); });
    }
  }
  for (const std::string& data : found) EXPECT_TRUE(data == expected_);
}

TEST_F(EngineTest, SeesWhichInputsHaveChanged) {
  Engine engine(plan_);
  maker_.Write("b", DType::kF16, {{"u", {1}}});
  EXPECT_EQ(ThrownBy([&] { engine.ExpectInputsUnchanged(); }).code(), ErrorCode::kInput);
  EXPECT_EQ(ThrownBy([&] { engine.ExpectInputsUnchanged({{0}}); }).code(), ErrorCode::kInput);
  engine.ExpectInputsUnchanged(WorkSet{});
  EXPECT_EQ(ThrownBy([&] { Engine again(plan_); }).code(), ErrorCode::kInput);
}

}  // namespace
}  // namespace weightsmith::internal
