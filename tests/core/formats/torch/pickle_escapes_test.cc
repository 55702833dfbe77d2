#include "core/formats/torch/pickle_escapes.h"

#include <gtest/gtest.h>

namespace weightsmith::internal {
namespace {

// As Python's codecs "unicode_escape" of bytes and "raw-unicode-escape" have them.
TEST(PickleEscapes, BytesAreDecodedAsPythonDoes) {
  EXPECT_EQ(UnescapeBytes("plain"), "plain");
  EXPECT_EQ(UnescapeBytes(R"(\x6f\163)"), "os");
  EXPECT_EQ(UnescapeBytes(R"(a\n\t\r\\\'\"b)"), "a\n\t\r\\'\"b");
  EXPECT_EQ(UnescapeBytes(R"(\1018)"), "A8");
  EXPECT_EQ(UnescapeBytes(R"(\0x)"), std::string("\0x", 2));
}

TEST(PickleEscapes, MalformedBytesAreRefused) {
  for (const char* text : {"\\", "\\x4", "\\xg0", "\\q", "\\x"}) {
    EXPECT_EQ(UnescapeBytes(text), std::nullopt) << text;
  }
}

TEST(PickleEscapes, UnicodeIsDecodedAsPythonDoes) {
  EXPECT_EQ(UnescapeUnicode(R"(\u006fs)"), "os");
  EXPECT_EQ(UnescapeUnicode("\xE9"), "\xC3\xA9");
  EXPECT_EQ(UnescapeUnicode(R"(\U0001F600)"), "\xF0\x9F\x98\x80");
  EXPECT_EQ(UnescapeUnicode(R"(\u20ac)"), "\xE2\x82\xAC");
  EXPECT_EQ(UnescapeUnicode(R"(a\nb)"), R"(a\nb)");
}

TEST(PickleEscapes, MalformedUnicodeIsRefused) {
  for (const char* text : {"\\u00", "\\U00110000", "\\u-123"}) {
    EXPECT_EQ(UnescapeUnicode(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace weightsmith::internal
