// What a journal keeps; and what is taken for one: one that a disk or a crash damaged, and no file
// of anybody's.
#include "merge/run/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "tests/core/scratch.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

class JournalFile : public ::testing::Test {
 protected:
  bool Is(std::string_view bytes) { return IsJournal(scratch_.Make("out.journal", bytes)); }

 private:
  Scratch scratch_;
};

TEST_F(JournalFile, IsKnownByItsFirstWord) {
  EXPECT_TRUE(Is("weightsmith-journal-2 4f boot 0 0 0 0 check\n"));
  EXPECT_TRUE(Is("weightsmith-journal-9 of another version\n"));
}

TEST_F(JournalFile, IsKnownWhereItWasCutOff) {
  EXPECT_TRUE(Is(""));
  EXPECT_TRUE(Is("weights"));
}

TEST_F(JournalFile, IsKnownWhereBitsChangedOrBlocksWereNeverWritten) {
  EXPECT_TRUE(Is("wdightsmith-jourNal-2 4f boot\n"));
  EXPECT_TRUE(Is(std::string(4096, '\0')));
  EXPECT_TRUE(Is(std::string(8, '\0') + "ith-journal-2 4f boot\n"));
}

TEST_F(JournalFile, IsNoTextOfAnybody) {
  EXPECT_FALSE(Is("Monday: trained until step 4000\n"));
  EXPECT_FALSE(Is("weights of the week\n"));
  EXPECT_FALSE(Is("{\"a\": 1}\n"));
}

TEST_F(JournalFile, IsNoFolder) {
  const Scratch scratch;
  EXPECT_FALSE(IsJournal(scratch.folder()));
}

/// A journal of a plan of two tasks.
class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    const NodeId a = maker_.Add("a", DType::kF32, {{"u", {1, 2}}, {"v", {3}}});
    const NodeId b = maker_.Add("b", DType::kF32, {{"u", {5, 6}}, {"v", {7}}});
    plan_ = maker_.MakePlanOf(maker_.Step("mix", "weighted_sum", {a, b}, {0.5}));
    path_ = Journal::PathOf(plan_);
  }

  static TaskResult ResultOf(std::uint8_t seed) {
    TaskResult result;
    result.sources = {Digest{{seed, 1}}, Digest{{seed, 2}}};
    result.products = {Digest{{seed, 3}}};
    result.effects = {{.elements = seed, .changed = 1, .change_squares = 0.1, .before_squares = 3}};
    result.non_finite = 1;
    result.bytes_read = 2U * seed;
    result.bytes_written = seed;
    return result;
  }

  Journal Open(const std::optional<RunPart>& part = {}) const { return {plan_, true, part}; }

  void WriteBoth() const {
    Journal journal = Open();
    journal.Start();
    journal.Append(1, ResultOf(11));
    journal.Append(0, ResultOf(22));
  }

  ModelMaker maker_;
  Plan plan_;
  std::filesystem::path path_;
};

TEST_F(JournalTest, KeepsWhatWasLearnedOfEveryTask) {
  EXPECT_FALSE(Open().exists());
  WriteBoth();
  const Journal journal = Open();
  EXPECT_TRUE(journal.ours());
  EXPECT_TRUE(journal.same_boot());
  ASSERT_EQ(journal.finished().size(), 2U);
  EXPECT_EQ(journal.finished()[0].task, 1U);
  EXPECT_EQ(journal.finished()[1].task, 0U);
  const TaskResult& read = journal.finished()[0].result;
  const TaskResult written = ResultOf(11);
  EXPECT_EQ(read.sources, written.sources);
  EXPECT_EQ(read.products, written.products);
  EXPECT_EQ(read.effects[0].change_squares, written.effects[0].change_squares);
  EXPECT_EQ(read.non_finite, 1U);
  EXPECT_EQ(read.bytes_read, 22U);
  EXPECT_EQ(read.bytes_written, 11U);
  EXPECT_TRUE(journal.committed().empty());
}

TEST_F(JournalTest, KeepsWhatMethodsFound) {
  plan_.tasks[1].findings.list = {{.label = "angle", .result = {}},
                                  {.label = "kept", .result = {}}};
  TaskResult result = ResultOf(11);
  result.found = {{.number = 3.1}, {.of = 8, .marked = 3, .seen = 4}};
  Journal journal = Open();
  journal.Start();
  journal.Append(1, result);
  const Journal again = Open();
  ASSERT_EQ(again.finished().size(), 1U);
  const std::vector<Found>& found = again.finished()[0].result.found;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].Value(), 3.1);
  EXPECT_EQ(found[1].Value(), 0.75);
  EXPECT_EQ(found[1].of, 8);
}

TEST_F(JournalTest, ALineThatWasCutOffIsNone) {
  WriteBoth();
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
  const Journal journal = Open();
  EXPECT_TRUE(journal.ours());
  ASSERT_EQ(journal.finished().size(), 1U);
  EXPECT_EQ(journal.finished()[0].task, 1U);
}

TEST_F(JournalTest, GoesOnBehindTheLinesThatAreKept) {
  WriteBoth();
  Journal journal = Open();
  journal.Keep(Journal::Which::kAll, [](auto /*tasks*/) { return 1; });
  journal.Continue();
  journal.Append(0, ResultOf(33));
  const Journal again = Open();
  ASSERT_EQ(again.finished().size(), 2U);
  EXPECT_EQ(again.finished()[1].result.bytes_written, 33U);
  EXPECT_EQ(again.StampOf(0), journal.StampOf(0));
}

TEST_F(JournalTest, KnowsTheFilesOnceTheyAreRenamed) {
  Journal journal = Open();
  journal.Start();
  journal.Append(0, ResultOf(1));
  FileIdentity file;
  file.device = 5;
  file.inode = 6;
  journal.BeginCommit({file}, false);
  const Journal read = Open();
  ASSERT_EQ(read.committed().size(), 1U);
  EXPECT_TRUE(read.committed()[0].SameFile(file));
  EXPECT_EQ(read.finished().size(), 1U);
}

TEST_F(JournalTest, OfSeveralPartsIsOneSet) {
  Journal first = Open(RunPart{1, 2});
  first.Start();
  Journal second = Open(RunPart{2, 2});
  EXPECT_EQ(second.StampOf(0), first.StampOf(0));
  second.Continue();
  second.Append(1, ResultOf(2));
  first.Append(0, ResultOf(1));
  first.Append(1, ResultOf(2));
  EXPECT_FALSE(std::filesystem::exists(path_));
  for (const auto& part : {std::optional<RunPart>(), std::optional(RunPart{2, 2})}) {
    const Journal read = Open(part);
    ASSERT_EQ(read.finished().size(), 2U);
    EXPECT_EQ(read.finished()[0].result.bytes_written + read.finished()[1].result.bytes_written,
              3U);
    EXPECT_EQ(read.own(), part ? 1U : 0U);
  }
}

TEST_F(JournalTest, IsWrittenByOneAtATime) {
  Journal first = Open(RunPart{1, 2});
  first.Start();
  EXPECT_FALSE(Open(RunPart{1, 2}).Claim());
  EXPECT_TRUE(Open(RunPart{2, 2}).Claim());
}

TEST_F(JournalTest, KnowsWhetherTheRunIsDividedInAnotherWay) {
  std::optional<Journal> first(Open(RunPart{1, 2}));
  first->Start();
  EXPECT_EQ(Open(RunPart{2, 2}).OtherDivision(), std::nullopt);
  EXPECT_EQ(Open(RunPart{3, 3}).OtherDivision(), Journal::PathOf(plan_, RunPart{1, 2}));
  first.reset();
  EXPECT_EQ(Open(RunPart{3, 3}).OtherDivision(), std::nullopt) << "it has ended";
}

TEST_F(JournalTest, ThatWasMadeAndNotWrittenIsRemoved) {
  {
    Journal journal = Open(RunPart{1, 2});
    EXPECT_TRUE(journal.Claim());
    EXPECT_FALSE(Journal::PathsBeside(maker_.Out()).empty());
  }
  EXPECT_TRUE(Journal::PathsBeside(maker_.Out()).empty());
}

TEST_F(JournalTest, OfPartsAreToldByTheirNames) {
  const std::string out = maker_.Out().string();
  for (const char* end :
       {".journal", ".1-of-2.journal", ".12-of-12.journal", ".2.journal", ".a-of-b.journal",
        ".1-of-2.journal.bak", ".1-of-.journal", "2.journal"}) {
    std::ofstream(out + end) << "";
  }
  EXPECT_THAT(Journal::PathsBeside(maker_.Out()),
              ::testing::UnorderedElementsAre(out + ".journal", out + ".1-of-2.journal",
                                              out + ".12-of-12.journal"));
}

TEST_F(JournalTest, OfAnotherPlanIsNotOurs) {
  WriteBoth();
  plan_ = maker_.MakePlanOf(maker_.Step("other", "weighted_sum", {0, 1}, {0.25}));
  const Journal journal = Open();
  EXPECT_TRUE(journal.exists());
  EXPECT_FALSE(journal.ours());
  EXPECT_NE(journal.difference(), "");
  EXPECT_TRUE(journal.finished().empty());
}

}  // namespace
}  // namespace weightsmith::internal
