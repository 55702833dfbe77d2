#include "cli/terminal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/interrupt.h"
#include "cli/program.h"
#include "cli/progress.h"
#include "core/base/error.h"
#include "tests/cli/memory_file.h"

namespace weightsmith::internal {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class TerminalTest : public ::testing::Test {
 protected:
  File out_{std::tmpfile()};
  File err_{std::tmpfile()};
  Terminal terminal_{out_.get(), err_.get()};
};

TEST_F(TerminalTest, DataGoesToOneStreamAndTalkToTheOther) {
  terminal_.Print("data\n");
  terminal_.Say("talk");
  terminal_.Warn("careful");
  EXPECT_EQ(Contents(out_.get()), "data\n");
  EXPECT_EQ(Contents(err_.get()), "talk\nwarning: careful\n");
}

TEST_F(TerminalTest, NoColourOutsideATerminal) {
  EXPECT_EQ(terminal_.Paint(Style::kError, "x"), "x");
}

TEST_F(TerminalTest, QuietLeavesOnlyErrors) {
  terminal_.set_verbosity(Verbosity::kQuiet);
  terminal_.Say("talk");
  terminal_.Note("note");
  terminal_.Warn("careful");
  terminal_.Detail("detail");
  terminal_.Fail("it broke.", "Mend it.");
  EXPECT_EQ(Contents(err_.get()), "weightsmith: it broke.\n\nMend it.\n");
}

TEST_F(TerminalTest, DetailsAreForVerboseOnly) {
  terminal_.Detail("hidden");
  terminal_.set_verbosity(Verbosity::kVerbose);
  terminal_.Detail("shown");
  EXPECT_EQ(Contents(err_.get()), "shown\n");
}

TEST_F(TerminalTest, ProgressIsSilentWhereNobodyLooks) {
  {
    ProgressMeter meter(terminal_, "merging");
    meter.Update(1, 2);
    meter.Update(2, 2);
  }
  EXPECT_EQ(Contents(err_.get()), "");
}

TEST_F(TerminalTest, JsonProgressIsOneObjectALineAndEndsWithAll) {
  terminal_.set_progress(ProgressMode::kJson);
  {
    ProgressMeter meter(terminal_, "merging");
    for (std::uint64_t done = 0; done <= 1000; ++done) meter.Update(done, 1000);
  }
  const std::string text = Contents(err_.get());
  std::size_t lines = 0;
  nlohmann::json last;
  for (std::size_t begin = 0; begin < text.size(); ++lines) {
    const std::size_t end = text.find('\n', begin);
    last = nlohmann::json::parse(text.substr(begin, end - begin));
    begin = end + 1;
  }
  EXPECT_LE(lines, 100U) << "redrawn at most ten times a second";
  EXPECT_EQ(last["event"], "progress");
  EXPECT_EQ(last["phase"], "merging");
  EXPECT_EQ(last["bytes_done"], 1000);
  EXPECT_EQ(last["bytes_total"], 1000);
  EXPECT_EQ(last["eta_seconds"], 0);
}

TEST_F(TerminalTest, AClosedPipeIsSuccess) {
  MakeErrorsOfSignals();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  const File closed(fdopen(ends[1], "w"));
  Terminal terminal(closed.get(), err_.get());
  EXPECT_THROW(terminal.Print("x"), BrokenPipe);
  const std::vector<std::string> words = {"man"};
  EXPECT_EQ(RunProgram(words, terminal), 0);
  EXPECT_EQ(Contents(err_.get()), "");
}

TEST_F(TerminalTest, AFullDiskUnderStandardOutputIsNot) {
  const File full(std::fopen("/dev/full", "w"));
  ASSERT_NE(full, nullptr);
  Terminal terminal(full.get(), err_.get());
  const std::vector<std::string> words = {"man"};
  EXPECT_EQ(RunProgram(words, terminal), 1);
  EXPECT_THAT(Contents(err_.get()), HasSubstr("No space left"));
}

TEST(FormatDuration, RoundsUpAndGrowsUnits) {
  EXPECT_EQ(FormatDuration(0), "0:00");
  EXPECT_EQ(FormatDuration(0.2), "0:01");
  EXPECT_EQ(FormatDuration(59), "0:59");
  EXPECT_EQ(FormatDuration(59.5), "1:00");
  EXPECT_EQ(FormatDuration(754), "12:34");
  EXPECT_EQ(FormatDuration(3723), "1:02:03");
  EXPECT_EQ(FormatDuration(-5), "0:00");
  EXPECT_EQ(FormatDuration(1e300), "99:59:59");
}

TEST(FormatRate, IsDecimalGigabytesASecond) {
  EXPECT_EQ(FormatRate(3'420'000'000, 1), "3.42 GB/s");
  EXPECT_EQ(FormatRate(1'000'000'000, 4), "0.25 GB/s");
  EXPECT_EQ(FormatRate(5, 0), "0.00 GB/s");
}

TEST(EstimateRemaining, ExtrapolatesTheMeanRate) {
  EXPECT_EQ(EstimateRemaining({"", 25, 100, 2}), 6.0);
  EXPECT_EQ(EstimateRemaining({"", 0, 100, 2}), std::nullopt);
  EXPECT_EQ(EstimateRemaining({"", 100, 100, 2}), 0.0);
  EXPECT_EQ(EstimateRemaining({"", 0, 0, 0}), 0.0);
}

TEST(EstimateRemaining, LeavesOutWhatAnEarlierRunHadDone) {
  EXPECT_EQ(EstimateRemaining({"", 60, 100, 2, 40}), 4.0);
  EXPECT_EQ(EstimateRemaining({"", 40, 100, 2, 40}), std::nullopt);
}

TEST(FormatProgressLine, SaysShareBytesRateAndTime) {
  const ProgressState state{"merging", 1'065'000'000, 2'130'000'000, 0.5};
  EXPECT_EQ(FormatProgressLine(state, 100),
            "merging  [############------------]   50 %  1.06 of 2.13 GB  2.13 GB/s  0:01 left");
}

TEST(FormatProgressLine, GivesUpTheBarThenTheLabelInNarrowTerminals) {
  const ProgressState state{"merging", 500, 1000, 1};
  EXPECT_THAT(FormatProgressLine(state, 70), StartsWith("merging   50 %"));
  EXPECT_THAT(FormatProgressLine(state, 50), StartsWith(" 50 %"));
  EXPECT_LE(FormatProgressLine(state, 20).size(), 20U);
}

TEST(FormatProgressLine, StartsAndEnds) {
  EXPECT_THAT(FormatProgressLine({"x", 0, 10, 0}, 80), HasSubstr("  0 %  0 of 10 B"));
  EXPECT_THAT(FormatProgressLine({"x", 0, 10, 0}, 80), HasSubstr("-:-- left"));
  EXPECT_THAT(FormatProgressLine({"x", 10, 10, 1}, 80), HasSubstr("100 %  10 of 10 B"));
}

int StatusOf(std::vector<std::string> words, std::string& talk) {
  const File out(std::tmpfile());
  const File err(std::tmpfile());
  Terminal terminal(out.get(), err.get());
  const int status = RunProgram(words, terminal);
  talk = Contents(err.get());
  return status;
}

TEST(Program, RefusesWhatItDoesNotKnow) {
  std::string talk;
  EXPECT_EQ(StatusOf({"mereg"}, talk), 2);
  EXPECT_THAT(talk, StartsWith("weightsmith: unknown command 'mereg'."));
  EXPECT_EQ(StatusOf({}, talk), 2);
  EXPECT_THAT(talk, HasSubstr("no command"));
}

TEST(Program, CommonFlagsMayStandBeforeTheCommand) {
  std::string talk;
  EXPECT_EQ(StatusOf({"-q", "--progress", "json", "ops"}, talk), 0);
  EXPECT_EQ(talk, "");
  EXPECT_EQ(StatusOf({"--version"}, talk), 0);
  EXPECT_EQ(StatusOf({"ops", "--version"}, talk), 0);
}

}  // namespace
}  // namespace weightsmith::internal
