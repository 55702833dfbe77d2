// Parts of a run at the same time: one is run from inside the progress of another, so that both
// hold the outputs. The oracle is the file that a run without parts writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "merge/run/executor.h"
#include "merge/run/journal.h"
#include "tests/core/caught.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PartsOfARun : public ::testing::Test {
 protected:
  PartsOfARun() {
    Tensors a;
    Tensors b;
    for (int t = 0; t < 6; ++t) {
      a["t" + std::to_string(t)] = PatternValues(200'000, t);
      b["t" + std::to_string(t)] = PatternValues(200'000, 10 + t);
    }
    mix_ = maker_.Step("mix", "weighted_sum",
                       {maker_.Add("a", DType::kF16, a), maker_.Add("b", DType::kF16, b)}, {0.25});
    internal::Run(PlanNow(), {});
    expected_ = Slurp(maker_.Out());
    fs::remove(maker_.Out());
  }

  Plan PlanNow() const { return maker_.MakePlanOf(mix_); }

  static RunOptions Part(std::uint32_t number, std::uint32_t count) {
    RunOptions options;
    options.threads = 1;
    options.part = RunPart{number, count};
    return options;
  }

  /// Runs a part, and something else once its first tensor is done.
  Report RunAround(RunOptions options, const std::function<void()>& inside) const {
    bool begun = false;
    options.progress = [&](const Progress& /*progress*/) {
      if (!std::exchange(begun, true)) inside();
      return true;
    };
    Report report = internal::Run(PlanNow(), options);
    EXPECT_TRUE(begun);
    return report;
  }

  /// Stops a run after its second tensor.
  void Stop(RunOptions options) const {
    options.progress = [](const Progress& progress) { return progress.bytes_done < 500'000; };
    EXPECT_EQ(Caught([&] { internal::Run(PlanNow(), options); }).code(), ErrorCode::kInterrupted);
  }

  std::string RefusalOf(const RunOptions& options) const {
    const Error error = Caught([&] { internal::Run(PlanNow(), options); });
    EXPECT_EQ(error.code(), ErrorCode::kFailed);
    return error.what();
  }

  void ExpectRight() const {
    EXPECT_TRUE(Slurp(maker_.Out()) == expected_);
    EXPECT_FALSE(fs::exists(maker_.Out().string() + ".partial"));
    EXPECT_THAT(Journal::PathsBeside(maker_.Out()), IsEmpty());
  }

  ModelMaker maker_;
  NodeId mix_ = 0;
  std::string expected_;
};

TEST_F(PartsOfARun, ComputeAtTheSameTimeAndTheLastOneEndsIt) {
  const Report first = RunAround(Part(1, 3), [&] {
    const Report second = RunAround(
        Part(3, 3), [&] { EXPECT_EQ(internal::Run(PlanNow(), Part(2, 3)).tensors_left, 2U); });
    EXPECT_EQ(second.tensors_left, 1U);
    EXPECT_FALSE(fs::exists(maker_.Out()));
  });
  EXPECT_FALSE(first.tensors_left);
  EXPECT_EQ(first.steps[0].tensors, 6U) << "the report is that of all parts";
  ExpectRight();
}

TEST_F(PartsOfARun, ThatAreDoneAtTheSameTimeAreEndedByOne) {
  for (int round = 0; round < 20; ++round) {
    std::vector<std::optional<Report>> reports(3);
    std::vector<std::thread> threads;
    for (std::uint32_t number = 1; number <= 3; ++number) {
      threads.emplace_back(
          [&, number] { reports[number - 1] = internal::Run(PlanNow(), Part(number, 3)); });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(
        std::ranges::count_if(reports, [](const auto& report) { return !report->tensors_left; }),
        1);
    ExpectRight();
    fs::remove(maker_.Out());
  }
}

TEST_F(PartsOfARun, AreGoneOnFromWhileOthersCompute) {
  Stop(Part(2, 2));
  const Report first = RunAround(Part(1, 2), [&] {
    const Report second = internal::Run(PlanNow(), Part(2, 2));
    EXPECT_TRUE(second.resumed);
    EXPECT_EQ(second.tensors_left, 2U);
  });
  EXPECT_FALSE(first.tensors_left);
  ExpectRight();
}

TEST_F(PartsOfARun, LoseNothingOfEachOtherWhenOneIsStopped) {
  RunAround(Part(1, 2), [&] { Stop(Part(2, 2)); });
  EXPECT_FALSE(fs::exists(maker_.Out()));
  EXPECT_FALSE(internal::Run(PlanNow(), Part(2, 2)).tensors_left);
  ExpectRight();
}

TEST_F(PartsOfARun, LoseNothingOfEachOtherWhenOneFails) {
  const Report first = RunAround(Part(1, 2), [&] {
    RunOptions failing = Part(2, 2);
    failing.progress = [](const Progress&) -> bool { throw Error(ErrorCode::kFailed, "no"); };
    EXPECT_EQ(RefusalOf(failing), "no");
    EXPECT_FALSE(fs::exists(Journal::PathOf(PlanNow(), RunPart{2, 2})));
  });
  EXPECT_EQ(first.tensors_left, 3U);
  internal::Run(PlanNow(), Part(2, 2));
  ExpectRight();
}

TEST_F(PartsOfARun, LeaveNothingWhenTheOnlyOneFails) {
  RunOptions failing = Part(2, 2);
  failing.progress = [](const Progress&) -> bool { throw Error(ErrorCode::kFailed, "no"); };
  EXPECT_EQ(RefusalOf(failing), "no");
  EXPECT_FALSE(fs::exists(maker_.Out().string() + ".partial"));
  EXPECT_THAT(Journal::PathsBeside(maker_.Out()), IsEmpty());
}

TEST_F(PartsOfARun, ComputeAgainWhatIsNotOnDiskAsAnotherOneWroteIt) {
  internal::Run(PlanNow(), Part(1, 2));
  const fs::path partial = maker_.Out().string() + ".partial";
  std::string bytes = Slurp(partial);
  bytes[4096 + 450'000] ^= 1;  // in its second tensor
  std::ofstream(partial, std::ios::binary) << bytes;
  RunOptions second = Part(2, 2);
  std::vector<std::string> notes;
  second.note = [&](const std::string& note) { notes.push_back(note); };
  EXPECT_FALSE(internal::Run(PlanNow(), second).tensors_left);
  EXPECT_THAT(notes, ::testing::Contains(HasSubstr("are not on disk as they were written")));
  ExpectRight();
}

TEST_F(PartsOfARun, TakeWhatARunWithoutPartsHasDone) {
  RunOptions whole;
  whole.threads = 1;
  Stop(whole);
  EXPECT_TRUE(internal::Run(PlanNow(), Part(2, 2)).tensors_left);
  EXPECT_FALSE(internal::Run(PlanNow(), Part(1, 2)).tensors_left);
  ExpectRight();
}

TEST_F(PartsOfARun, AreTakenByARunWithoutPartsAndByAnotherDivision) {
  EXPECT_EQ(internal::Run(PlanNow(), Part(1, 2)).tensors_left, 3U);
  EXPECT_EQ(internal::Run(PlanNow(), Part(4, 6)).tensors_left, 2U);
  EXPECT_TRUE(internal::Run(PlanNow(), {}).resumed);
  ExpectRight();
}

TEST_F(PartsOfARun, AreRefusedWhileAnotherRunHasTheOutputs) {
  RunAround(Part(1, 2), [&] {
    EXPECT_THAT(RefusalOf(Part(1, 2)), HasSubstr("part 1 of 2 is being computed"));
    EXPECT_THAT(RefusalOf(Part(2, 3)), HasSubstr("1-of-2.journal"));
    EXPECT_THAT(RefusalOf({}), HasSubstr("another process is writing"));
    maker_.expression.nodes[mix_].parameters[0] = Weights(0.75);
    EXPECT_THAT(RefusalOf(Part(2, 2)), HasSubstr("of another recipe, or of other parameters"));
    maker_.expression.nodes[mix_].parameters[0] = Weights(0.25);
  });
  internal::Run(PlanNow(), Part(2, 2));
  ExpectRight();
  fs::remove(maker_.Out());
  RunOptions whole;
  whole.threads = 1;
  RunAround(whole, [&] { EXPECT_THAT(RefusalOf(Part(2, 2)), HasSubstr("not divided")); });
  ExpectRight();
}

TEST_F(PartsOfARun, StartAfreshFromWhatAnotherRunLeft) {
  internal::Run(PlanNow(), Part(1, 3));
  maker_.expression.nodes[mix_].parameters[0] = Weights(0.75);
  internal::Run(PlanNow(), Part(2, 2));
  EXPECT_FALSE(fs::exists(Journal::PathOf(PlanNow(), RunPart{1, 3})));
  maker_.expression.nodes[mix_].parameters[0] = Weights(0.25);
  for (const std::uint32_t number : {2U, 1U}) internal::Run(PlanNow(), Part(number, 2));
  ExpectRight();
}

TEST_F(PartsOfARun, WithoutTensorsDoNothing) {
  EXPECT_EQ(internal::Run(PlanNow(), Part(2, 64)).tensors_left, 6U);
  EXPECT_FALSE(fs::exists(maker_.Out().string() + ".partial"));
}

}  // namespace
}  // namespace weightsmith::internal
