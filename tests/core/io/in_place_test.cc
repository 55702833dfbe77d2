#include "core/io/in_place.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "core/base/error.h"
#include "core/io/hash.h"
#include "tests/core/caught.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

class InPlace : public ::testing::Test {
 protected:
  void Write(const std::string& text) { scratch_.Make("file", text); }
  std::string Contents() const { return Slurp(path_); }
  void Overwrite(const std::string& text, const FileIdentity& expected) {
    ReplaceStart(path_, expected, std::as_bytes(std::span(text)));
  }

  Scratch scratch_;
  const std::filesystem::path path_ = scratch_ / "file";
};

TEST_F(InPlace, ReplacesTheFirstBytesAndNothingElse) {
  Write("0123456789");
  const auto before = IdentifyFile(path_).value();
  Overwrite("abc", before);
  EXPECT_EQ(Contents(), "abc3456789");
  EXPECT_TRUE(IdentifyFile(path_).value().SameFile(before));
}

TEST_F(InPlace, RefusesAFileThatChanged) {
  Write("0123456789");
  const auto before = IdentifyFile(path_).value();
  Write("01234567890");
  EXPECT_THROW(Overwrite("abc", before), Error);
  EXPECT_EQ(Contents(), "01234567890");
}

TEST_F(InPlace, NeverMakesAFileLonger) {
  Write("01");
  EXPECT_THROW(Overwrite("abc", IdentifyFile(path_).value()), Error);
  EXPECT_EQ(Contents(), "01");
}

TEST_F(InPlace, RefusesAMissingFile) {
  std::filesystem::remove(path_);
  EXPECT_THROW(Overwrite("abc", {}), Error);
}

/// A change from `old_` to `new_` that was stopped in its middle.
class InterruptedChange : public InPlace {
 protected:
  const std::filesystem::path side_ = scratch_ / "file.header";
  const std::string old_ = std::string(3000, 'o') + "data";
  const std::string new_ = std::string(3000, 'n');

  /// The side file, by its format.
  std::string SideText() const {
    const std::uint64_t numbers[] = {old_.size(), new_.size()};
    const std::string before = old_.substr(0, new_.size());
    Xxh3Stream check;
    check.Update(std::as_bytes(std::span(numbers)));
    check.Update(std::as_bytes(std::span(before)));
    check.Update(std::as_bytes(std::span(new_)));
    return fmt::format("weightsmith-header-1 {} {} {}\n{}{}", old_.size(), new_.size(),
                       check.Finish().ToHex(), before, new_);
  }

  /// The exit status of a change where files may not be longer than `limit`.
  int StatusUnderLimit(rlim_t limit) {
    const pid_t child = ::fork();
    if (child == 0) {
      std::signal(SIGXFSZ, SIG_IGN);
      const rlimit bound{limit, limit};
      ::setrlimit(RLIMIT_FSIZE, &bound);
      try {
        Overwrite(new_, IdentifyFile(path_).value());
      } catch (const Error& error) {
        ::_exit(static_cast<int>(error.code()));
      }
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
};

TEST_F(InterruptedChange, IsCompleted) {
  scratch_.Make("file.header", SideText());
  Write(new_.substr(0, 512) + old_.substr(512));
  EXPECT_TRUE(FinishReplacement(path_));
  EXPECT_EQ(Contents(), new_ + "data");
  EXPECT_FALSE(std::filesystem::exists(side_));
  EXPECT_FALSE(FinishReplacement(path_));
}

TEST_F(InterruptedChange, IsCompletedFromAnyByte) {
  scratch_.Make("file.header", SideText());
  Write(old_.substr(0, 5) + new_.substr(5, 696) + old_.substr(701));
  EXPECT_TRUE(FinishReplacement(path_));
  EXPECT_EQ(Contents(), new_ + "data");
}

TEST_F(InterruptedChange, IsCompletedThroughALink) {
  scratch_.Make("file.header", SideText());
  Write(old_);
  std::filesystem::create_symlink(path_, scratch_ / "link");
  EXPECT_TRUE(FinishReplacement(scratch_ / "link"));
  EXPECT_EQ(Contents(), new_ + "data");
}

TEST_F(InterruptedChange, BeforeItsSideFileWasWholeChangedNothing) {
  scratch_.Make("file.header", SideText().substr(0, 5000));
  Write(old_);
  EXPECT_FALSE(FinishReplacement(path_));
  EXPECT_EQ(Contents(), old_);
  EXPECT_FALSE(std::filesystem::exists(side_));
}

TEST_F(InterruptedChange, IsNotCompletedInAnotherFile) {
  scratch_.Make("file.header", SideText());
  const std::string other = std::string(3000, 'x') + "data";
  Write(other);
  EXPECT_EQ(Caught([&] { FinishReplacement(path_); }).code(), ErrorCode::kInput);
  EXPECT_EQ(Contents(), other);
  EXPECT_TRUE(std::filesystem::exists(side_));
}

TEST_F(InterruptedChange, LeavesFilesOfOthersAlone) {
  scratch_.Make("file.header", "theirs");
  Write(old_);
  EXPECT_FALSE(FinishReplacement(path_));
  EXPECT_EQ(Caught([&] { Overwrite(new_, IdentifyFile(path_).value()); }).code(),
            ErrorCode::kUsage);
  EXPECT_EQ(Contents(), old_);
  EXPECT_EQ(Slurp(side_), "theirs");
}

TEST_F(InterruptedChange, LeavesNothingBesideWhenItIsDone) {
  Write(old_);
  Overwrite(new_, IdentifyFile(path_).value());
  EXPECT_EQ(Contents(), new_ + "data");
  EXPECT_FALSE(std::filesystem::exists(side_));
}

TEST_F(InterruptedChange, DoesNotBeginWhereThereIsNoRoomForBothHeaders) {
  Write(old_);
  EXPECT_EQ(StatusUnderLimit(4096), static_cast<int>(ErrorCode::kResources));
  EXPECT_EQ(Contents(), old_);
  EXPECT_FALSE(std::filesystem::exists(side_));
}

}  // namespace
}  // namespace weightsmith::internal
