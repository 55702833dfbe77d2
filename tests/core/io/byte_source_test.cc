#include "core/io/byte_source.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "tests/core/caught.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

using ::testing::HasSubstr;

std::string Pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  return bytes;
}

class ByteSources : public ::testing::TestWithParam<IoBackend> {
 protected:
  std::shared_ptr<const ByteSource> Open(const std::filesystem::path& path) {
    return OpenByteSource(path, GetParam());
  }
  Scratch scratch_;
};
INSTANTIATE_TEST_SUITE_P(Io, ByteSources, ::testing::Values(IoBackend::kMap, IoBackend::kRead),
                         [](const auto& backend) {
                           return backend.param == IoBackend::kMap ? "Map" : "Read";
                         });

TEST_P(ByteSources, ReadAnyRangeOfTheFile) {
  const std::string bytes = Pattern(300'001);
  const auto source = Open(scratch_.Make("dätei 🎨.bin", bytes));
  EXPECT_EQ(source->backend(), GetParam());
  EXPECT_EQ(source->size(), bytes.size());
  for (const std::size_t offset : {0u, 1u, 4095u, 4096u, 65'537u, 300'000u, 300'001u}) {
    for (const std::size_t size : {0u, 1u, 7u, 4096u, 70'000u, 234'464u}) {
      if (offset + size > bytes.size()) continue;
      EXPECT_EQ(ReadText(*source, offset, size), bytes.substr(offset, size)) << offset << size;
    }
  }
}

TEST_P(ByteSources, ReadAgainAfterRelease) {
  const std::string bytes = Pattern(100'000);
  const auto source = Open(scratch_.Make("a", bytes));
  ReadText(*source, 0, bytes.size());
  source->Release(0, bytes.size());
  source->Release(5, 10);
  source->Release(99'999, UINT64_MAX);
  source->Release(UINT64_MAX, 1);
  EXPECT_EQ(ReadText(*source, 0, bytes.size()), bytes);
}

TEST_P(ByteSources, RefuseRangesOutsideTheFile) {
  const auto source = Open(scratch_.Make("a", "12345"));
  std::vector<std::byte> out(3);
  for (const std::uint64_t offset : {std::uint64_t{3}, std::uint64_t{6}, UINT64_MAX - 1}) {
    const Error error = Caught([&] { source->Read(offset, out); });
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.what(), HasSubstr("leaves the file"));
  }
}

TEST_P(ByteSources, OpenEmptyFiles) {
  const auto source = Open(scratch_.Make("a", ""));
  EXPECT_EQ(source->size(), 0u);
  EXPECT_EQ(ReadText(*source, 0, 0), "");
  source->Release(0, 1);
  EXPECT_TRUE(source->Mapping().empty());
}

TEST_P(ByteSources, SayWhatIsNoFile) {
  Error error = Caught([&] { Open(scratch_ / "nothing"); });
  EXPECT_EQ(error.code(), ErrorCode::kInput);
  EXPECT_THAT(error.what(), HasSubstr("no such file"));
  scratch_.Make("file", "x");
  EXPECT_THAT(Caught([&] { Open(scratch_ / "file/below"); }).what(), HasSubstr("no such file"));

  error = Caught([&] { Open(scratch_.folder()); });
  EXPECT_EQ(error.code(), ErrorCode::kInput);
  EXPECT_THAT(error.what(), HasSubstr("is a folder"));

  ASSERT_EQ(::mkfifo((scratch_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(Caught([&] { Open(scratch_ / "pipe"); }).what(), HasSubstr("is a pipe"));
  EXPECT_THAT(Caught([&] { Open("/dev/zero"); }).what(), HasSubstr("is a device"));

  std::filesystem::create_symlink("loop", scratch_ / "loop");
  error = Caught([&] { Open(scratch_ / "loop"); });
  EXPECT_EQ(error.code(), ErrorCode::kInput);
}

TEST_P(ByteSources, DoNotOutliveTheirHandleInChildren) {
  const auto source = Open(scratch_.Make("a", "x"));
  EXPECT_NE(::fcntl(source->descriptor(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_P(ByteSources, TurnTruncationIntoAnError) {
  const std::string bytes = Pattern(1'000'000);
  const auto path = scratch_.Make("a", bytes);
  const auto source = Open(path);
  std::filesystem::resize_file(path, 500'001);
  // Whole pages are gone; a page is half gone; the rest is there as before.
  for (const std::uint64_t offset : {900'000u, 499'990u, 500'001u}) {
    std::vector<std::byte> out(100);
    const Error error = Caught([&] { source->Read(offset, out); });
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.what(), HasSubstr("truncated"));
    EXPECT_THAT(error.what(), HasSubstr("500001"));
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
  }
  EXPECT_EQ(ReadText(*source, 400'000, 100'001), bytes.substr(400'000, 100'001));
}

TEST_P(ByteSources, SurviveTruncationInManyThreads) {
  const auto path = scratch_.Make("a", Pattern(4'000'000));
  const auto source = Open(path);
  std::atomic<int> errors = 0;
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::vector<std::byte> out(200'000);
      while (!stop) {
        for (std::uint64_t i = 0; i < 20; ++i) {
          try {
            source->Read((i + 5 * t) % 20 * 200'000, out);
          } catch (const Error&) {
            ++errors;
          }
        }
      }
    });
  }
  std::filesystem::resize_file(path, 1'000'000);
  while (errors < 400) std::this_thread::yield();
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST_P(ByteSources, TellAnUnchangedFileFromAChangedOne) {
  const auto path = scratch_.Make("a", "12345678");
  const auto source = Open(path);
  source->ExpectUnchanged();
  std::filesystem::create_hard_link(path, scratch_ / "b");  // moves ctime, changes nothing
  source->ExpectUnchanged();

  std::filesystem::resize_file(path, 4);
  EXPECT_THAT(Caught([&] { source->ExpectUnchanged(); }).what(), HasSubstr("was changed"));
  std::filesystem::remove(path);
  const Error error = Caught([&] { source->ExpectUnchanged(); });
  EXPECT_EQ(error.code(), ErrorCode::kInput);
  EXPECT_THAT(error.what(), HasSubstr("was removed"));
  scratch_.Make("a", "12345678");
  EXPECT_THAT(Caught([&] { source->ExpectUnchanged(); }).what(), HasSubstr("replaced"));
}

TEST_P(ByteSources, NoticeAWriteThatKeepsTheSize) {
  const auto path = scratch_.Make("a", "12345678");
  const auto source = Open(path);
  const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 1}, {.tv_sec = 1, .tv_nsec = 1}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  EXPECT_THROW(source->ExpectUnchanged(), Error);
}

TEST(OpenByteSource, MapsLocalFilesByDefault) {
  const Scratch scratch;
  const auto source = OpenByteSource(scratch.Make("a", "123"));
  ASSERT_EQ(source->backend(), IoBackend::kMap);
  ASSERT_EQ(source->Mapping().size(), 3u);
  EXPECT_EQ(static_cast<char>(source->Mapping()[1]), '2');
}

TEST(IdentifyFile, SeesThroughLinks) {
  const Scratch scratch;
  const auto a = scratch.Make("a", "x");
  const auto other = scratch.Make("other", "x");
  std::filesystem::create_symlink(a, scratch / "soft");
  std::filesystem::create_hard_link(a, scratch / "hard");
  const auto identity = IdentifyFile(a);
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->size, 1u);
  EXPECT_TRUE(identity->SameFile(*IdentifyFile(scratch / "soft")));
  EXPECT_TRUE(identity->SameFile(*IdentifyFile(scratch / "hard")));
  EXPECT_FALSE(identity->SameFile(*IdentifyFile(other)));
  EXPECT_FALSE(IdentifyFile(scratch / "none"));
}

std::atomic<int> foreign_signals = 0;

// A SIGBUS that is not ours goes to the handler that was there before. In a process of its own,
// since the guard is installed once in each.
TEST(BusGuardDeathTest, LeavesForeignSignalsToTheirHandler) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const Scratch scratch;
  const auto path = scratch.Make("a", Pattern(100'000));
  EXPECT_EXIT(
      {
        std::signal(SIGBUS, [](int) { ::_exit(++foreign_signals == 1 ? 42 : 1); });
        const auto source = OpenByteSource(path, IoBackend::kMap);
        std::filesystem::resize_file(path, 10);
        std::vector<std::byte> out(100);
        EXPECT_THROW(source->Read(50'000, out), Error);
        // Now without the guard.
        const volatile std::byte* byte = source->Mapping().data() + 50'000;
        const std::byte unguarded = *byte;
        ::_exit(std::to_integer<int>(unguarded));
      },
      ::testing::ExitedWithCode(42), "");
}

}  // namespace
}  // namespace weightsmith::internal
