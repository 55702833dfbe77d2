// Locks between open files, of one process as of several.
#include "core/io/file_lock.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "core/io/output_file.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

class FileLockTest : public ::testing::Test {
 protected:
  std::optional<OutputFile> Open(FileLock lock) const {
    return OutputFile::TryOpenAsFound(target_, 8, {}, lock);
  }

  Scratch scratch_;
  const std::filesystem::path target_ = scratch_ / "out";
  const std::filesystem::path partial_ = scratch_ / "out.partial";
};

TEST_F(FileLockTest, AloneExcludesEveryOther) {
  const auto alone = Open(FileLock::kAlone);
  ASSERT_TRUE(alone);
  EXPECT_TRUE(IsLocked(partial_));
  EXPECT_FALSE(Open(FileLock::kAlone));
  EXPECT_FALSE(Open(FileLock::kShared));
}

TEST_F(FileLockTest, SharedExcludesOneThatWantsItAlone) {
  EXPECT_FALSE(Open(FileLock::kShared)) << "there is no file";
  EXPECT_FALSE(std::filesystem::exists(partial_));
  auto first = Open(FileLock::kAlone);
  ASSERT_TRUE(first && first->Lock(FileLock::kShared));
  auto second = Open(FileLock::kShared);
  ASSERT_TRUE(second);
  EXPECT_FALSE(IsLocked(partial_));
  EXPECT_FALSE(Open(FileLock::kAlone));
  EXPECT_FALSE(first->Lock(FileLock::kAlone));
  EXPECT_TRUE(second->Lock(FileLock::kAlone)) << "the first one has none any more";
}

TEST_F(FileLockTest, EndsWithItsFile) {
  Open(FileLock::kAlone).reset();
  EXPECT_FALSE(IsLocked(partial_));
  EXPECT_TRUE(Open(FileLock::kAlone));
}

TEST_F(FileLockTest, DoesNotKeepAName) {
  auto file = Open(FileLock::kAlone);
  ASSERT_TRUE(file && file->HasName());
  std::filesystem::rename(partial_, target_);
  EXPECT_FALSE(file->HasName());
}

}  // namespace
}  // namespace weightsmith::internal
