#include "core/io/in_place.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/core/scratch.h"

namespace weightsmith {
namespace {

class InPlace : public ::testing::Test {
 protected:
  void Write(const std::string& text) { scratch_.Make("file", text); }
  std::string Contents() const { return Slurp(path_); }
  void Overwrite(const std::string& text, const FileIdentity& expected) {
    OverwriteStart(path_, expected, std::as_bytes(std::span(text)));
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

}  // namespace
}  // namespace weightsmith
