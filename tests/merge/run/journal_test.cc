// What is taken for a journal: one that a disk or a crash damaged, and no file of anybody's.
#include "merge/run/journal.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/core/scratch.h"

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

}  // namespace
}  // namespace weightsmith::internal
