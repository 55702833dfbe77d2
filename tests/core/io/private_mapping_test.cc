#include "core/io/private_mapping.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

std::string Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class PrivateMappingTest : public ::testing::Test {
 protected:
  const std::string text_ = std::string(10'000, 'a') + "tensor" + std::string(10'000, 'z');
  Scratch scratch_;
  std::shared_ptr<const ByteSource> file_ = OpenByteSource(scratch_.Make("file", text_));
};

TEST_F(PrivateMappingTest, ShowsARangeThatStartsAndEndsInsidePages) {
  const PrivateMapping mapping(*file_, 9'999, 8);
  EXPECT_EQ(Text(mapping.bytes()), "atensorz");
}

TEST_F(PrivateMappingTest, KeepsWhatIsWrittenToItself) {
  const PrivateMapping mapping(*file_, 10'000, 6);
  std::ranges::fill(mapping.bytes(), std::byte{'x'});
  EXPECT_EQ(Text(mapping.bytes()), "xxxxxx");
  EXPECT_EQ(Text(PrivateMapping(*file_, 10'000, 6).bytes()), "tensor");
  EXPECT_EQ(ReadText(*file_, 0, file_->size()), text_);
  EXPECT_EQ(ReadText(*OpenByteSource(file_->path()), 0, file_->size()), text_);
}

TEST_F(PrivateMappingTest, OutlivesTheFileThatItWasMadeFrom) {
  const PrivateMapping mapping(*file_, 10'000, 6);
  std::filesystem::remove(file_->path());
  file_ = nullptr;
  EXPECT_EQ(Text(mapping.bytes()), "tensor");
}

TEST_F(PrivateMappingTest, HasNothingOfNothing) {
  EXPECT_TRUE(PrivateMapping(*file_, 5, 0).bytes().empty());
}

}  // namespace
}  // namespace weightsmith::internal
