#include "core/formats/torch/other_readings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

/// A header of "x", as Python's tarfile writes it: the checksum is the sum of its bytes.
std::string TarHeader(std::string checksum) {
  std::string block(512, '\0');
  block.replace(0, 1, "x");
  block.replace(100, 8, std::string("0000644\0", 8));
  block.replace(124, 12, std::string("00000000000\0", 12));
  block.replace(148, 8, checksum);
  return block;
}

TEST(OtherReadings, ATarArchiveIsKnownByItsChecksum) {
  // 'x' is 120; "0000644" 350; "00000000000" 528; eight blanks 256: 1254 is 02346 in octal.
  EXPECT_TRUE(BeginsAsTar(TarHeader(std::string("002346\0 ", 8))));
  EXPECT_TRUE(BeginsAsTar(TarHeader("  2346  ")));
  EXPECT_TRUE(BeginsAsTar(TarHeader("00002346")));
  EXPECT_TRUE(BeginsAsTar(TarHeader(std::string("\x80\0\0\0\0\0\x04\xE6", 8))));
  EXPECT_FALSE(BeginsAsTar(TarHeader(std::string("002347\0 ", 8))));
  EXPECT_FALSE(BeginsAsTar(std::string(100, 'x')));
}

/// A directory of one entry, and the record of its end.
std::string ZipEnd() {
  const std::string entry = "PK\x01\x02" + std::string(42, '\0');
  return entry + std::string("PK\x05\x06\0\0\0\0\1\0\1\0\x2E\0\0\0\0\0\0\0\0\0", 22);
}

TEST(OtherReadings, AZipArchiveIsKnownByItsEnd) {
  const Scratch scratch;
  const auto ends = [&](const std::string& bytes) {
    return EndsAsZip(*OpenByteSource(scratch.Make("file", bytes), IoBackend::kRead));
  };
  EXPECT_TRUE(ends(ZipEnd()));
  EXPECT_TRUE(ends("GGUF in front" + ZipEnd()));
  EXPECT_TRUE(ends(ZipEnd() + "a comment, or what zipfile cuts off"));
  EXPECT_FALSE(ends("PK\x05\x06" + std::string(18, '\0')));
  EXPECT_FALSE(ends("PK\x01\x03" + ZipEnd().substr(4)));
  EXPECT_FALSE(ends(ZipEnd().substr(0, 60)));
  EXPECT_FALSE(ends(""));
}

}  // namespace
}  // namespace weightsmith::internal
