#include "merge/run/run_outputs.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <functional>

#include "core/io/hash.h"
#include "merge/run/earlier_run.h"
#include "merge/run/executor.h"
#include "tests/core/caught.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void Put(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// A merge of six tensors that is stopped after the first ones, and then run again.
class InterruptedRun : public ::testing::Test {
 protected:
  static constexpr std::size_t kElements = 300'000;

  InterruptedRun() {
    for (int t = 0; t < 6; ++t) {
      a_["t" + std::to_string(t)] = PatternValues(kElements, t);
      b_["t" + std::to_string(t)] = PatternValues(kElements, 10 + t);
    }
    const NodeId a = maker_.Add("a", DType::kF16, a_);
    const NodeId b = maker_.Add("b", DType::kF16, b_);
    mix_ = maker_.Step("mix", "weighted_sum", {a, b}, {0.25});
    internal::Run(PlanNow(), {});
    expected_ = Slurp(maker_.Out());
    fs::remove(maker_.Out());
  }

  Plan PlanNow() const { return maker_.MakePlanOf(mix_); }

  void Interrupt(std::uint64_t bytes = 2'000'000) {
    RunOptions options;
    options.threads = 1;
    options.progress = [=](const Progress& progress) { return progress.bytes_done < bytes; };
    EXPECT_EQ(Caught([&] { internal::Run(PlanNow(), options); }).code(), ErrorCode::kInterrupted);
    ASSERT_TRUE(fs::exists(partial_));
    ASSERT_TRUE(fs::exists(journal_));
  }

  Report RunAgain(RunOptions options = {}) {
    notes_.clear();
    options.note = [this](const std::string& note) { notes_.push_back(note); };
    return internal::Run(PlanNow(), options);
  }

  void ExpectRight() const {
    EXPECT_TRUE(Slurp(maker_.Out()) == expected_);
    EXPECT_FALSE(fs::exists(partial_));
    EXPECT_FALSE(fs::exists(journal_));
  }

  ModelMaker maker_;
  Tensors a_;
  Tensors b_;
  NodeId mix_ = 0;
  std::string expected_;
  std::vector<std::string> notes_;
  const fs::path partial_ = maker_.Out().string() + ".partial";
  const fs::path journal_ = maker_.Out().string() + ".journal";
};

TEST_F(InterruptedRun, IsContinued) {
  Interrupt();
  const auto resumption = FindResumption(PlanNow(), {});
  ASSERT_TRUE(resumption.has_value());
  EXPECT_EQ(resumption->bytes_to_verify, resumption->tasks * kElements * 2);
  EXPECT_TRUE(RunAgain().resumed);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("going on from an interrupted run")));
  ExpectRight();
}

TEST_F(InterruptedRun, IsContinuedAfterSeveralInterruptions) {
  Interrupt(800'000);
  Interrupt(1'600'000);
  Interrupt(2'600'000);
  EXPECT_TRUE(RunAgain().resumed);
  ExpectRight();
}

TEST_F(InterruptedRun, WritesTheStampInThePlaceOfTheHeader) {
  Interrupt();
  EXPECT_TRUE(Slurp(partial_).starts_with("weightsmith-partial-2 "));
  EXPECT_TRUE(Slurp(journal_).starts_with("weightsmith-journal-2 "));
  const std::string run = Slurp(journal_).substr(22, 32);
  EXPECT_EQ(Slurp(partial_).substr(22, 32), run);
}

TEST_F(InterruptedRun, IsNotContinuedWithAnotherRunsPartial) {
  Interrupt();
  const std::string journal = Slurp(journal_);
  maker_.expression.nodes[mix_].parameters[0] = Weights(0.75);
  Interrupt();
  maker_.expression.nodes[mix_].parameters[0] = Weights(0.25);
  Put(journal_, journal);
  EXPECT_FALSE(FindResumption(PlanNow(), {}).has_value());
  EXPECT_FALSE(RunAgain().resumed);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("is not what the interrupted run wrote")));
  ExpectRight();
}

TEST_F(InterruptedRun, IsNotContinuedWithAPartialOfZeros) {
  Interrupt();
  Put(partial_, std::string(fs::file_size(partial_), '\0'));
  EXPECT_FALSE(RunAgain().resumed);
  ExpectRight();
}

TEST_F(InterruptedRun, IsNotContinuedWithoutItsPartial) {
  Interrupt();
  fs::remove(partial_);
  EXPECT_FALSE(RunAgain().resumed);
  ExpectRight();
}

TEST_F(InterruptedRun, ComputesAgainWhatIsNotOnDiskAsItWasWritten) {
  Interrupt();
  std::string bytes = Slurp(partial_);
  bytes[4096 + 3 * kElements] ^= 1;  // in the second tensor
  Put(partial_, bytes);
  EXPECT_TRUE(RunAgain().resumed);
  EXPECT_THAT(notes_, Contains(HasSubstr("are not on disk as they were written")));
  EXPECT_THAT(notes_, Contains(HasSubstr("1 of 6 tensors are done")));
  ExpectRight();
}

TEST_F(InterruptedRun, IsTrustedWhereThatIsAsked) {
  Interrupt();
  std::string bytes = Slurp(partial_);
  bytes[4096] ^= 1;
  Put(partial_, bytes);
  EXPECT_EQ(FindResumption(PlanNow(), {.trust_partial = true})->bytes_to_verify, 0U);
  EXPECT_TRUE(RunAgain({.trust_partial = true}).resumed);
  EXPECT_EQ(Slurp(maker_.Out()).substr(4097), expected_.substr(4097)) << "nothing was read back";
}

TEST_F(InterruptedRun, IsNotContinuedWithAnInputOfTheSameDateAndSize) {
  Interrupt();
  const fs::path path = maker_.scratch / "b.safetensors";
  struct stat before = {};
  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  std::string bytes = Slurp(path);
  bytes.back() ^= 1;
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary) << bytes;
  const timespec times[] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  maker_.expression.models[1].parts[0].checkpoint = Checkpoint::Open(path);
  EXPECT_FALSE(RunAgain().resumed);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("an input has changed")));
  EXPECT_FALSE(Slurp(maker_.Out()) == expected_);
}

TEST_F(InterruptedRun, IsNotContinuedWithOtherParameters) {
  Interrupt();
  maker_.expression.nodes[mix_].parameters[0] = Weights(0.75);
  EXPECT_FALSE(RunAgain().resumed);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("of another recipe, or of other parameters")));
}

TEST_F(InterruptedRun, LeavesNothingWithoutDigests) {
  RunOptions options;
  options.digests = false;
  options.progress = [](const Progress&) { return false; };
  EXPECT_EQ(Caught([&] { internal::Run(PlanNow(), options); }).code(), ErrorCode::kInterrupted);
  EXPECT_FALSE(fs::exists(partial_));
  EXPECT_FALSE(fs::exists(journal_));
}

TEST_F(InterruptedRun, IsNoLongerContinuedOnceARunWithoutAJournalTookItsPartial) {
  Interrupt();
  const std::string journal = Slurp(journal_);
  RunOptions options;
  options.keep_partial = false;
  options.progress = [](const Progress&) { return false; };
  EXPECT_EQ(Caught([&] { internal::Run(PlanNow(), options); }).code(), ErrorCode::kInterrupted);
  EXPECT_FALSE(fs::exists(partial_));
  EXPECT_FALSE(fs::exists(journal_));
}

TEST_F(InterruptedRun, CutsOffALineThatIsNotWhole) {
  Interrupt();
  const std::string journal = Slurp(journal_);
  for (std::size_t size = journal.size() - 1; size > journal.size() - 60; size -= 20) {
    Put(journal_, journal.substr(0, size));
    Interrupt(2'600'000);
  }
  RunAgain();
  ExpectRight();
}

TEST_F(InterruptedRun, RefusesWhatIsNoJournalAndLeavesIt) {
  Put(journal_, "my notes");
  const Error error = Caught([&] { RunAgain(); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("no journal"));
  EXPECT_EQ(Slurp(journal_), "my notes");
  EXPECT_FALSE(fs::exists(partial_));
}

TEST_F(InterruptedRun, RefusesWhatIsNoPartialOfOursAndLeavesIt) {
  Put(partial_, "a download");
  const Error error = Caught([&] { RunAgain(); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("no partial output"));
  EXPECT_EQ(Slurp(partial_), "a download");
}

TEST_F(InterruptedRun, DoesNotFollowLinks) {
  Put(maker_.scratch / "victim", "precious");
  for (const fs::path& path : {partial_, journal_}) {
    fs::create_symlink(maker_.scratch / "victim", path);
    EXPECT_EQ(Caught([&] { RunAgain(); }).code(), ErrorCode::kUsage);
    EXPECT_EQ(Slurp(maker_.scratch / "victim"), "precious");
    fs::remove(path);
  }
}

TEST_F(InterruptedRun, DoesNotWaitForPipes) {
  for (const fs::path& path : {partial_, journal_}) {
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_EQ(Caught([&] { RunAgain(); }).code(), ErrorCode::kUsage);
    fs::remove(path);
  }
}

/// A run of two outputs, whose renaming is stopped in its middle.
class StoppedCommit : public InterruptedRun {
 protected:
  Plan PlanOfTwo() const {
    OutputSpec first;
    first.root = mix_;
    first.path = maker_.Out();
    OutputSpec second = first;
    second.root = 0;
    second.path = second_;
    Expression expression = maker_.expression;
    expression.policies.effect = EffectPolicy::kAny;  // the second output is the first model
    return MakePlan(expression, {first, second});
  }

  /// The second output's name is taken while the run computes.
  Error Stop() {
    RunOptions options;
    options.progress = [this](const Progress&) {
      Put(second_, "in the way");
      return true;
    };
    return Caught([&] { internal::Run(PlanOfTwo(), options); });
  }

  const fs::path second_ = maker_.scratch / "second.safetensors";
};

TEST_F(StoppedCommit, IsEndedByTheSameRun) {
  EXPECT_EQ(Stop().code(), ErrorCode::kUsage);
  EXPECT_TRUE(Slurp(maker_.Out()) == expected_);
  EXPECT_EQ(Slurp(second_), "in the way");
  fs::remove(second_);

  RunOptions options;
  options.progress = [](const Progress&) -> bool { throw Error(ErrorCode::kFailed, "computed"); };
  const Report report = internal::Run(PlanOfTwo(), options);
  EXPECT_TRUE(report.resumed);
  EXPECT_EQ(ModelMaker::ReadTensor(second_, "t3"), a_.at("t3"));
  EXPECT_TRUE(Slurp(maker_.Out()) == expected_);
  EXPECT_FALSE(fs::exists(journal_));
  EXPECT_EQ(Caught([&] { internal::Run(PlanOfTwo(), {}); }).code(), ErrorCode::kUsage);
}

TEST_F(StoppedCommit, StillRefusesWhatIsInTheWay) {
  Stop();
  EXPECT_EQ(Caught([&] { internal::Run(PlanOfTwo(), {}); }).code(), ErrorCode::kUsage);
  EXPECT_EQ(Slurp(second_), "in the way");
  internal::Run(PlanOfTwo(), {.overwrite = true});
  EXPECT_EQ(ModelMaker::ReadTensor(second_, "t3"), a_.at("t3"));
}

TEST_F(StoppedCommit, IsNotEndedWithAFileThatIsNotItsOwn) {
  Stop();
  fs::remove(second_);
  Put(maker_.scratch / "other", expected_);
  fs::rename(maker_.scratch / "other", maker_.Out());
  EXPECT_EQ(Caught([&] { internal::Run(PlanOfTwo(), {}); }).code(), ErrorCode::kUsage);
  EXPECT_FALSE(fs::exists(second_));
}

}  // namespace
}  // namespace weightsmith::internal
