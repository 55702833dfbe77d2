#include "core/io/output_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "core/io/disk_space.h"
#include "tests/core/caught.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string ReadBack(const OutputFile& file, std::uint64_t offset, std::size_t size) {
  std::string text(size, '?');
  file.Read(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

std::uint64_t Allocated(const fs::path& path) {
  struct stat status = {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

class OutputFiles : public ::testing::Test {
 protected:
  Scratch scratch_;
  const fs::path target_ = scratch_ / "out ü.bin";
  const fs::path partial_ = scratch_ / "out ü.bin.partial";
};

TEST_F(OutputFiles, AppearOnlyWhenCommitted) {
  OutputFile file(target_, 10, {});
  EXPECT_EQ(file.target(), target_);
  EXPECT_EQ(file.partial(), partial_);
  EXPECT_EQ(file.size(), 10u);
  file.Write(5, Bytes("world"));
  file.Write(0, Bytes("hello"));
  EXPECT_EQ(ReadBack(file, 3, 4), "lowo");
  EXPECT_TRUE(fs::exists(partial_));
  EXPECT_FALSE(fs::exists(target_));
  file.Commit();
  EXPECT_EQ(Slurp(target_), "helloworld");
  EXPECT_FALSE(fs::exists(partial_));
}

TEST_F(OutputFiles, TakeWritesFromManyThreads) {
  constexpr std::size_t kPiece = 700'001;
  OutputFile file(target_, 4 * kPiece, {});
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&file, t] {
      file.Write(t * kPiece, Bytes(std::string(kPiece, static_cast<char>('a' + t))));
    });
  }
  for (std::thread& thread : threads) thread.join();
  file.Commit();
  std::string expected;
  for (std::size_t t = 0; t < 4; ++t) expected.append(kPiece, static_cast<char>('a' + t));
  EXPECT_TRUE(Slurp(target_) == expected);
}

TEST_F(OutputFiles, ClaimTheirBytesUpFront) {
  constexpr std::uint64_t kSize = 3'000'000;
  { OutputFile file(target_, kSize, {}); }
  EXPECT_EQ(fs::file_size(partial_), kSize);
  EXPECT_GE(Allocated(partial_), kSize);
  { OutputFile file(target_, kSize, {.reserve = false}); }
  EXPECT_EQ(fs::file_size(partial_), kSize);
  EXPECT_LT(Allocated(partial_), kSize);
}

TEST_F(OutputFiles, AreEmptyFilesToo) {
  OutputFile file(target_, 0, {.sync = false});
  file.Commit();
  EXPECT_EQ(fs::file_size(target_), 0u);
}

TEST_F(OutputFiles, DoNotReplaceUnlessAsked) {
  scratch_.Make("out ü.bin", "old");
  const Error error = Caught([&] { OutputFile(target_, 1, {}); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("already exists"));
  EXPECT_THAT(error.options(), testing::ElementsAre(Option::kOverwrite));
  EXPECT_FALSE(fs::exists(partial_));
  WriteFile(target_, Bytes("new"), {.overwrite = true});
  EXPECT_EQ(Slurp(target_), "new");
}

TEST_F(OutputFiles, DoNotReplaceWhatAppearsMeanwhile) {
  OutputFile file(target_, 3, {});
  file.Write(0, Bytes("new"));
  scratch_.Make("out ü.bin", "theirs");
  EXPECT_EQ(Caught([&] { file.Commit(); }).code(), ErrorCode::kUsage);
  EXPECT_EQ(Slurp(target_), "theirs");
  EXPECT_EQ(Slurp(partial_), "new");
  file.Discard();
  EXPECT_FALSE(fs::exists(partial_));
}

TEST_F(OutputFiles, LeaveTheOldFileToItsReaders) {
  scratch_.Make("out ü.bin", "old bytes");
  const auto reader = OpenByteSource(target_, IoBackend::kMap);
  WriteFile(target_, Bytes("new"), {.overwrite = true});
  std::string text(9, '?');
  reader->Read(0, std::as_writable_bytes(std::span(text)));
  EXPECT_EQ(text, "old bytes");
}

TEST_F(OutputFiles, RefuseTargetsThatAreNoFiles) {
  fs::create_directory(target_);
  Error error = Caught([&] { OutputFile(target_, 1, {.overwrite = true}); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("is a folder"));
  error = Caught([&] { OutputFile("/dev/null", 1, {.overwrite = true}); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
}

TEST_F(OutputFiles, NeedTheirFolder) {
  const Error error = Caught([&] { OutputFile(scratch_ / "a/b/c", 1, {}); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("does not exist"));
  WriteFile(scratch_ / "a/b/c", Bytes("x"), {.make_folders = true});
  EXPECT_EQ(Slurp(scratch_ / "a/b/c"), "x");
  EXPECT_EQ(Caught([&] { OutputFile(scratch_ / "a/b/c/d", 1, {.make_folders = true}); }).code(),
            ErrorCode::kUsage);
}

TEST_F(OutputFiles, SayBeforehandThatTheDiskIsTooSmall) {
  const Error error = Caught([&] { OutputFile(target_, std::uint64_t{1} << 60, {}); });
  EXPECT_EQ(error.code(), ErrorCode::kResources);
  EXPECT_THAT(error.what(), HasSubstr("1152921504606846976 bytes"));
  EXPECT_THAT(error.what(), HasSubstr("are free"));
  EXPECT_FALSE(fs::exists(partial_));
}

TEST_F(OutputFiles, BelongToOneWriter) {
  OutputFile file(target_, 3, {});
  file.Write(0, Bytes("abc"));
  const Error error = Caught([&] { OutputFile(target_, 5, {}); });
  EXPECT_EQ(error.code(), ErrorCode::kFailed);
  EXPECT_THAT(error.what(), HasSubstr("another process"));
  EXPECT_EQ(Slurp(partial_), "abc");
  file.Discard();
  OutputFile again(target_, 5, {});
  EXPECT_EQ(ReadBack(again, 0, 5), std::string(5, '\0'));
}

TEST_F(OutputFiles, GoOnFromAnInterruptedRun) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    OutputFile file(target_, 2'000'000, {});
    file.Write(0, Bytes(std::string(1'000'000, 'x')));
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(fs::exists(target_));

  OutputFile file = OutputFile::OpenAsFound(target_, 2'000'000, {});
  ASSERT_TRUE(file.Holds("xxxx"));
  file.Continue();
  file.Write(1'000'000, Bytes(std::string(1'000'000, 'y')));
  file.Commit();
  EXPECT_TRUE(Slurp(target_) == std::string(1'000'000, 'x') + std::string(1'000'000, 'y'));
}

TEST_F(OutputFiles, AreKnownByTheirStampAndSize) {
  {
    OutputFile file = OutputFile::OpenAsFound(target_, 6, {});
    file.Begin("run 1");
    EXPECT_EQ(ReadBack(file, 0, 6), std::string("run 1\0", 6));
  }
  EXPECT_TRUE(OutputFile::OpenAsFound(target_, 6, {}).Holds("run 1"));
  EXPECT_FALSE(OutputFile::OpenAsFound(target_, 6, {}).Holds("run 2"));
  EXPECT_FALSE(OutputFile::OpenAsFound(target_, 7, {}).Holds("run 1"));
  EXPECT_FALSE(OutputFile::OpenAsFound(target_, 2, {}).Holds("run 1"));
  OutputFile file(target_, 6, {});
  EXPECT_EQ(ReadBack(file, 0, 6), std::string(6, '\0'));
}

TEST_F(OutputFiles, AreLeftAsFoundUntilTheyBegin) {
  scratch_.Make("out ü.bin.partial", "12345");
  { const OutputFile file = OutputFile::OpenAsFound(target_, 9, {}); }
  EXPECT_EQ(Slurp(partial_), "12345");
  fs::remove(partial_);
  { const OutputFile file = OutputFile::OpenAsFound(target_, 9, {}); }
  EXPECT_FALSE(fs::exists(partial_)) << "an empty one of our own";
}

TEST_F(OutputFiles, LeaveNothingWhereALimitStopsThem) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const Error error = Caught([&] { OutputFile(target_, 10'000, {}); });
    ::_exit(static_cast<int>(error.code()));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(ErrorCode::kResources));
  EXPECT_FALSE(fs::exists(partial_));
}

TEST_F(OutputFiles, HaveThePermissionsThatFilesHave) {
  const mode_t mask = ::umask(027);
  WriteFile(target_, Bytes("x"), {});
  ::umask(mask);
  EXPECT_EQ(fs::status(target_).permissions(), fs::perms{0640});
  fs::permissions(target_, fs::perms{0604});
  WriteFile(target_, Bytes("y"), {.overwrite = true});
  EXPECT_EQ(fs::status(target_).permissions(), fs::perms{0604});
  EXPECT_EQ(Slurp(target_), "y");
}

TEST_F(OutputFiles, RefuseAPartialThatIsALink) {
  const auto precious = scratch_.Make("precious", "data");
  fs::create_symlink(precious, partial_);
  const Error error = Caught([&] { OutputFile(target_, 1, {}); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("is a symbolic link"));
  EXPECT_EQ(Slurp(precious), "data");
}

TEST_F(OutputFiles, AreMovable) {
  OutputFile file(target_, 2, {});
  OutputFile moved(std::move(file));
  moved.Write(0, Bytes("ok"));
  moved.Commit();
  EXPECT_EQ(Slurp(target_), "ok");
}

TEST_F(OutputFiles, ShareBytesOrSayThatTheyCannot) {
  const std::string bytes(1 << 20, 'z');
  const auto source = OpenByteSource(scratch_.Make("source", bytes));
  OutputFile file(target_, 2 << 20, {});
  file.Write(0, Bytes(std::string(2 << 20, 'a')));
  const bool shared = file.Clone(*source, 0, 1 << 20, 1 << 20);
  EXPECT_TRUE(ReadBack(file, 1 << 20, 1 << 20) == (shared ? bytes : std::string(1 << 20, 'a')));
  EXPECT_FALSE(file.Clone(*source, 1, 1, 3)) << "not at blocks";
  EXPECT_TRUE(file.Clone(*source, 0, 0, 0)) << "nothing to do";
  EXPECT_TRUE(ReadBack(file, 0, 1 << 20) == std::string(1 << 20, 'a'));
}

TEST(FreeDiskBytes, LooksAtTheNearestFolderThereIs) {
  const Scratch scratch;
  EXPECT_GT(FreeDiskBytes(scratch.folder()), 0u);
  EXPECT_GT(FreeDiskBytes(scratch / "not/there/yet"), 0u);
  EXPECT_GT(FreeDiskBytes(""), 0u);
  EXPECT_GT(FreeDiskBytes("relative/not/there"), 0u);
}

TEST(DeviceOf, IsThatOfTheNearestFolderThereIs) {
  const Scratch scratch;
  struct stat status = {};
  ASSERT_EQ(::stat(scratch.folder().c_str(), &status), 0);
  EXPECT_EQ(DeviceOf(scratch / "not/there/yet"), status.st_dev);
}

}  // namespace
}  // namespace weightsmith::internal
