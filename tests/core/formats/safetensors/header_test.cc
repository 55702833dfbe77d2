// The verdicts are those of the reference implementation (safetensors 0.8.0), except where a case
// says that ours is stricter. tests/python/test_safetensors_verdicts.py compares many more.
#include "core/formats/safetensors/header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/core/caught.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using std::string_literals::operator""s;

/// The header of a file with `data` bytes after it.
SafetensorsHeader Parse(std::string_view json, std::uint64_t data) {
  return ParseHeader(json, 8 + json.size() + data);
}

std::string Tensor(std::string_view dtype, std::string_view shape, std::uint64_t begin,
                   std::uint64_t end) {
  return "{\"dtype\":\"" + std::string(dtype) + "\",\"shape\":" + std::string(shape) +
         ",\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
}

std::string Length(std::uint64_t n) {
  std::string bytes(8, '\0');
  for (unsigned i = 0; i < 8; ++i) bytes[i] = static_cast<char>(n >> 8 * i & 0xFF);
  return bytes;
}

TEST(ParseHeaderSize, ReadsLittleEndian) {
  EXPECT_EQ(ParseHeaderSize(Length(0x0102), 100'000), 0x0102u);
  EXPECT_EQ(ParseHeaderSize(Length(2) + "{}", 10), 2u);
  EXPECT_EQ(ParseHeaderSize(Length(0), 8), 0u);
  EXPECT_EQ(ParseHeaderSize(Length(100'000'000), 200'000'000), 100'000'000u);
}

TEST(ParseHeaderSize, RefusesFilesThatAreTooShort) {
  for (std::size_t size = 0; size < 8; ++size) {
    const Error error = Caught([&] { ParseHeaderSize(std::string(size, '\1'), size); });
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.what(), HasSubstr("the file has " + std::to_string(size) + " bytes"));
  }
}

TEST(ParseHeaderSize, RefusesHeadersOverTheLimit) {
  for (const std::uint64_t n : {std::uint64_t{100'000'001}, std::uint64_t{1} << 32,
                                std::uint64_t{1} << 63, UINT64_MAX - 7, UINT64_MAX}) {
    const Error error = Caught([&] { ParseHeaderSize(Length(n), UINT64_MAX); });
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.what(), HasSubstr("header's length at byte 0 is " + std::to_string(n)));
  }
}

TEST(ParseHeaderSize, RefusesHeadersBeyondTheFile) {
  EXPECT_EQ(ParseHeaderSize(Length(92), 100), 92u);
  const Error error = Caught([&] { ParseHeaderSize(Length(93), 100); });
  EXPECT_EQ(error.code(), ErrorCode::kInput);
  EXPECT_THAT(error.what(), HasSubstr("but only 92 bytes follow"));
  EXPECT_THAT(error.advice(), HasSubstr("incomplete download"));
}

struct Accepted {
  const char* claim;
  std::string json;
  std::uint64_t data = 0;
};

TEST(ParseHeader, AcceptsWhatTheReferenceAccepts) {
  std::string ones;
  for (int i = 0; i < 1'000'000; ++i) ones += i > 0 ? ",1" : "1";
  const std::vector<Accepted> cases = {
      {"empty", "{}"},
      {"whitespace before and after", " \t\r\n{ } \n\n"},
      {"one tensor", "{\"a\":" + Tensor("F32", "[2]", 0, 8) + "}", 8},
      {"rank 0", "{\"a\":" + Tensor("F64", "[]", 0, 8) + "}", 8},
      {"a million dimensions", "{\"a\":" + Tensor("U8", "[" + ones + "]", 0, 1) + "}", 1},
      {"no elements", "{\"a\":" + Tensor("F64", "[3,0]", 0, 0) + "}"},
      {"no elements, whatever else",
       "{\"a\":" + Tensor("F64", "[0,18446744073709551615]", 0, 0) + "}"},
      {"no elements, in the middle",
       "{\"a\":" + Tensor("U8", "[4]", 0, 4) + ",\"b\":" + Tensor("U8", "[0]", 4, 4) +
           ",\"c\":" + Tensor("U8", "[0]", 4, 4) + ",\"d\":" + Tensor("U8", "[2]", 4, 6) + "}",
       6},
      {"any order",
       "{\"a\":" + Tensor("U8", "[2]", 4, 6) + ",\"b\":" + Tensor("U8", "[4]", 0, 4) + "}", 6},
      {"odd places",
       "{\"a\":" + Tensor("U8", "[1]", 0, 1) + ",\"b\":" + Tensor("F64", "[1]", 1, 9) + "}", 9},
      {"halves of bytes", "{\"a\":" + Tensor("F4", "[2,3]", 0, 3) + "}", 3},
      {"three quarters of bytes", "{\"a\":" + Tensor("F6_E2M3", "[4]", 0, 3) + "}", 3},
      {"metadata null", R"({"__metadata__":null})"},
      {"metadata empty", R"({"__metadata__":{}})"},
      {"unknown fields",
       R"({"a":{"x":[1,-2.5e3,{"y":[true,false,null,"z"]}],"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
       1},
      {"an empty name", "{\"\":" + Tensor("U8", "[1]", 0, 1) + "}", 1},
      {"a long name", "{\"" + std::string(1'000'000, 'n') + "\":" + Tensor("U8", "[1]", 0, 1) + "}",
       1},
      {"an escaped NUL", R"({"a\u0000":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1},
      {"an escaped key", R"({"a":{"\u0064type":"U8","sh\u0061pe":[1],"data_offsets":[0,1]}})", 1},
      {"paths", R"({"../a/\\b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1},
  };
  for (const Accepted& accepted : cases) {
    EXPECT_NO_THROW(Parse(accepted.json, accepted.data)) << accepted.claim;
  }
}

TEST(ParseHeader, GivesTheTableInTheOrderOfTheData) {
  const std::string json =
      "{\"__metadata__\":{\"k\":\"v\",\"\":\"\"},\"b\":" + Tensor("BF16", "[1,2]", 4, 8) +
      ",\"a\":" + Tensor("I32", "[]", 0, 4) + "}";
  const SafetensorsHeader header = Parse(json, 8);
  EXPECT_EQ(header.data_start, 8 + json.size());
  EXPECT_EQ(header.metadata, (Metadata{{"", ""}, {"k", "v"}}));
  ASSERT_EQ(header.tensors.size(), 2u);
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[0].info, (TensorInfo{DType::kI32, {}}));
  EXPECT_EQ(header.tensors[1].name, "b");
  EXPECT_EQ(header.tensors[1].info, (TensorInfo{DType::kBF16, {1, 2}}));
  EXPECT_EQ(header.tensors[1].begin, 4u);
  EXPECT_EQ(header.tensors[1].end, 8u);
}

TEST(ParseHeader, DecodesEscapes) {
  const SafetensorsHeader header =
      Parse(R"({"__metadata__":{"\"\\\/\b\f\n\r\t":"\u00e9\u20AC\ud83c\udfa8\u0000\uFFFF"}})", 0);
  ASSERT_TRUE(header.metadata);
  EXPECT_EQ(*header.metadata, (Metadata{{"\"\\/\b\f\n\r\t", "é€🎨\0\xEF\xBF\xBF"s}}));
}

TEST(ParseHeader, TellsNoMetadataFromEmptyMetadata) {
  EXPECT_EQ(Parse("{}", 0).metadata, std::nullopt);
  EXPECT_EQ(Parse(R"({"__metadata__":null})", 0).metadata, std::nullopt);
  EXPECT_EQ(Parse(R"({"__metadata__":{}})", 0).metadata, Metadata{});
}

struct Refused {
  std::string json;
  std::uint64_t data;
  const char* why;
};

void ExpectRefused(const std::vector<Refused>& cases) {
  for (const Refused& refused : cases) {
    SCOPED_TRACE(refused.json.substr(0, 200));
    const Error error = Caught([&] { Parse(refused.json, refused.data); });
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.what(), HasSubstr(refused.why));
    EXPECT_LT(std::string_view(error.what()).size(), 1000u);
    EXPECT_FALSE(error.advice().empty());
  }
}

TEST(ParseHeader, RefusesWhatIsNotJson) {
  ExpectRefused({
      {"", 0, "expected an object, found the end of the header at byte 8"},
      {"   ", 0, "expected an object, found the end of the header at byte 11"},
      {"[]", 0, "expected an object, found '[' at byte 8"},
      {"null", 0, "expected an object"},
      {"\xEF\xBB\xBF{}", 0, "byte order mark"},
      {"\x0b{}", 0, "expected an object"},
      {"{}\x0b", 0, "expected the end"},
      {"{}{}", 0, "expected the end, found '{' at byte 10"},
      {"{}\0"s, 0, "expected the end"},
      {"{", 0, "expected a key"},
      {"{'a':1}", 0, "expected a key"},
      {"{a:1}", 0, "expected a key"},
      {"{\"a\"}", 0, "expected ':'"},
      {"{\"__metadata__\":{},}", 0, "expected a key in double quotes, found '}'"},
      {"{,}", 0, "expected a key"},
      {"{\"__metadata__\":{}", 0, "expected ',' or '}'"},
      {"{\"__metadata__\":{} // no\n}", 0, "expected ',' or '}'"},
      {"{\"a", 0, "a string that is not closed at byte 9"},
      {"{\"a\n\":1}", 0, "a raw control character in a string at byte 11"},
      {"{\"a\\x\":1}", 0, "an unknown escape in a string at byte 11"},
      {"{\"a\\", 0, "an unknown escape"},
      {"{\"a\\u12\":1}", 0, "without four hexadecimal digits"},
      {"{\"a\\u+123\":1}", 0, "without four hexadecimal digits"},
      {"{\"a\\ud83c\":1}", 0, "an unpaired surrogate"},
      {"{\"a\\udfa8\":1}", 0, "an unpaired surrogate"},
      {"{\"a\\ud83c\\u0041\":1}", 0, "an unpaired surrogate"},
      {"{\"a\\ud83cx\":1}", 0, "an unpaired surrogate"},
  });
}

TEST(ParseHeader, RefusesWhatIsNotUtf8) {
  for (const std::string& bytes :
       {"\x80"s, "\xC0\x80"s, "\xC1\xBF"s, "\xE0\x9F\xBF"s, "\xED\xA0\x80"s, "\xF0\x8F\xBF\xBF"s,
        "\xF4\x90\x80\x80"s, "\xF5\x80\x80\x80"s, "\xFF"s, "\xE2\x82"s, "\xC3"s, "\xF0\x9F\x8E"s}) {
    const std::string json = "{\"__metadata__\":{\"0123456789" + bytes + "\":\"\"}}";
    const Error error = Caught([&] { Parse(json, 0); });
    EXPECT_THAT(error.what(), HasSubstr("not valid UTF-8 at byte 36"));
  }
  // Also after the object, where no token would ever be read.
  EXPECT_THAT(Caught([&] { Parse("{}\xFF", 0); }).what(), HasSubstr("UTF-8"));
}

TEST(ParseHeader, BoundsNesting) {
  const auto nested = [](int depth) {
    return R"({"a":{"x":)" + std::string(depth, '[') + std::string(depth, ']') +
           R"(,"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  };
  EXPECT_NO_THROW(Parse(nested(125), 1));
  EXPECT_THAT(Caught([&] { Parse(nested(126), 1); }).what(), HasSubstr("nested 128 deep"));
  EXPECT_THAT(Caught([&] { Parse("{\"a\":{\"x\":" + std::string(200'000, '['), 1); }).what(),
              HasSubstr("nested"));
  EXPECT_THAT(Caught([&] { Parse("{\"a\":" + std::string(200'000, '{'), 1); }).what(),
              HasSubstr("expected"));
  EXPECT_THAT(Caught([&] { Parse("{\"__metadata__\":" + std::string(200'000, '['), 1); }).what(),
              HasSubstr("expected"));
}

TEST(ParseHeader, RefusesWrongTypes) {
  const auto with = [](std::string_view shape, std::string_view offsets) {
    return R"({"a":{"dtype":"U8","shape":)" + std::string(shape) + R"(,"data_offsets":)" +
           std::string(offsets) + "}}";
  };
  const char* integer = "tensor 'a': the header is malformed: expected an integer";
  ExpectRefused({
      {with("[2.0]", "[0,2]"), 2, integer},
      {with("[2e0]", "[0,2]"), 2, integer},
      {with("[-0]", "[0,0]"), 0, integer},
      {with("[-1]", "[0,0]"), 0, integer},
      {with("[+2]", "[0,2]"), 2, integer},
      {with("[02]", "[0,2]"), 2, integer},
      {with("[\"2\"]", "[0,2]"), 2, integer},
      {with("[true]", "[0,1]"), 1, integer},
      {with("[null]", "[0,1]"), 1, integer},
      {with("[18446744073709551616]", "[0,0]"), 0, integer},
      {with("[" + std::string(1'000'000, '9') + "]", "[0,0]"), 0, integer},
      {with("[[1]]", "[0,1]"), 1, integer},
      {with("[1,]", "[0,1]"), 1, integer},
      {with("[1]", "[0,1.5]"), 1, integer},
      {with("1", "[0,1]"), 1, "expected an array"},
      {with("null", "[0,1]"), 1, "expected an array"},
      {with("{}", "[0,1]"), 1, "expected an array"},
      {with("[1]", "[0]"), 1, "'data_offsets' with 1 numbers"},
      {with("[1]", "[]"), 1, "'data_offsets' with 0 numbers"},
      {with("[1]", "[0,1,1]"), 1, "'data_offsets' with 3 numbers"},
      {R"({"a":{"dtype":8,"shape":[1],"data_offsets":[0,1]}})", 1, "expected a string, found '8'"},
      {R"({"a":1})", 0, "expected an object"},
      {R"({"a":null})", 0, "expected an object"},
      {R"({"__metadata__":[]})", 0, "expected an object"},
      {R"({"__metadata__":1})", 0, "expected an object"},
      {R"({"__metadata__":{"k":1}})", 0, "expected a string"},
      {R"({"__metadata__":{"k":null}})", 0, "expected a string"},
      {R"({"__metadata__":{"k":{}}})", 0, "expected a string"},
      {R"({"__metadata__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1,
       "expected a string"},
      // The reference takes these two; nobody writes them.
      {R"({"a":["U8",[1],[0,1]]})", 1, "expected an object"},
      {R"({"a":{"dtype":{"U8":null},"shape":[1],"data_offsets":[0,1]}})", 1, "expected a string"},
  });
}

TEST(ParseHeader, ChecksFieldsThatItIgnores) {
  const auto with = [](std::string_view extra) {
    return R"({"a":{"x":)" + std::string(extra) +
           R"(,"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  };
  for (const char* fine :
       {"-0", "-12.5E+3", "1e-999", "0e999", "1e308", "\"\"", "[[],{}]", "18446744073709551616"}) {
    EXPECT_NO_THROW(Parse(with(fine), 1)) << fine;
  }
  ExpectRefused({
      {with("1e999"), 1, "a number out of range"},
      {with("-1e309"), 1, "a number out of range"},
      {with(std::string(400, '9')), 1, "a number out of range"},
      {with("1e99999999999999999999"), 1, "a number out of range"},
      {with("1e9223372036854775807"), 1, "a number out of range"},
      {with("01"), 1, "expected"},
      {with("1."), 1, "expected a digit"},
      {with(".5"), 1, "expected a value"},
      {with("-"), 1, "expected a digit"},
      {with("1e"), 1, "expected a digit"},
      {with("NaN"), 1, "expected a value"},
      {with("Infinity"), 1, "expected a value"},
      {with("tru"), 1, "expected a value"},
      {with("nulll"), 1, "expected ',' or '}'"},
      {with("\"\\ud800\""), 1, "an unpaired surrogate"},
      {with(""), 1, "expected a value"},
  });
}

TEST(ParseHeader, RefusesMissingAndUnknown) {
  ExpectRefused({
      {R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1,
       "tensor 'a': the header is malformed: no 'dtype'"},
      {R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1, "no 'shape'"},
      {R"({"a":{"dtype":"U8","shape":[1]}})", 1, "no 'data_offsets'"},
      {R"({"a":{}})", 0, "no 'dtype' for the tensor at byte 13"},
      {R"({"a":{"dtype":"F12","shape":[1],"data_offsets":[0,1]}})", 1,
       "unknown dtype 'F12' at byte 22"},
      {R"({"a":{"dtype":"u8","shape":[1],"data_offsets":[0,1]}})", 1, "unknown dtype 'u8'"},
      {R"({"a":{"dtype":"","shape":[1],"data_offsets":[0,1]}})", 1, "unknown dtype ''"},
  });
}

// The reference lets the last one win for tensors and for keys of the metadata; files that say two
// things are refused here.
TEST(ParseHeader, RefusesDuplicatesAtEveryLevel) {
  const std::string tensor = Tensor("U8", "[1]", 0, 1);
  ExpectRefused({
      {"{\"a\":" + tensor + ",\"a\":" + tensor + "}", 1, "tensor 'a' at byte"},
      {"{\"a\":" + tensor + ",\"\\u0061\":" + tensor + "}", 1, "is there twice, first at byte 9"},
      {R"({"__metadata__":{},"__metadata__":{}})", 0, "'__metadata__' a second time at byte 27"},
      {R"({"__metadata__":null,"__\u006detadata__":{}})", 0, "'__metadata__' a second time"},
      {R"({"__metadata__":{"k":"1","\u006b":"2"}})", 0, "key 'k' a second time in '__metadata__'"},
      {R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1,
       "'dtype' a second time"},
      {R"({"a":{"dtype":"U8","shape":[1],"\u0073hape":[1],"data_offsets":[0,1]}})", 1,
       "'shape' a second time"},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"data_offsets":[0,1]}})", 1,
       "'data_offsets' a second time"},
  });
}

TEST(ParseHeader, RefusesDataThatIsNotTiled) {
  const auto two = [](std::uint64_t a0, std::uint64_t a1, std::uint64_t b0, std::uint64_t b1) {
    return "{\"a\":" + Tensor("U8", "[" + std::to_string(a1 - a0) + "]", a0, a1) +
           ",\"b\":" + Tensor("U8", "[" + std::to_string(b1 - b0) + "]", b0, b1) + "}";
  };
  ExpectRefused({
      {"{\"a\":" + Tensor("U8", "[1]", 1, 2) + "}", 2,
       "leave a hole: the first tensor must begin at 0"},
      {two(0, 4, 5, 8), 8,
       "tensor 'b' at byte 61: data_offsets [5, 8] leave a hole: tensor 'a' before it ends at 4"},
      {two(0, 4, 3, 8), 8, "data_offsets [3, 8] overlap another tensor's"},
      {two(0, 4, 0, 4), 4, "overlap"},
      {two(0, 8, 4, 4), 8, "overlap"},
      {"{\"a\":" + Tensor("U8", "[1]", 4, 2) + "}", 4, "end before their start"},
      {"{\"a\":" + Tensor("U8", "[1]", 1, 0) + "}", 1, "end before their start"},
  });
}

TEST(ParseHeader, RefusesSizesThatDisagree) {
  ExpectRefused({
      {"{\"a\":" + Tensor("F32", "[2]", 0, 4) + "}", 4,
       "tensor 'a' at byte 9: F32 [2] has 8 bytes, but data_offsets [0, 4] hold 4"},
      {"{\"a\":" + Tensor("F32", "[0]", 0, 4) + "}", 4, "has 0 bytes"},
      {"{\"a\":" + Tensor("F32", "[]", 0, 0) + "}", 0, "has 4 bytes"},
      {"{\"a\":" + Tensor("F4", "[3]", 0, 2) + "}", 2, "12 bits, which do not fill whole bytes"},
      {"{\"a\":" + Tensor("F4", "[]", 0, 1) + "}", 1, "whole bytes"},
      {"{\"a\":" + Tensor("F6_E3M2", "[2]", 0, 2) + "}", 2, "whole bytes"},
      {"{\"a\":" + Tensor("U8", "[18446744073709551615,2]", 0, 2) + "}", 2, "exceeds 64 bits"},
      {"{\"a\":" + Tensor("U8", "[18446744073709551615,18446744073709551615,0]", 0, 0) + "}", 0,
       "exceeds 64 bits"},
      {"{\"a\":" + Tensor("F32", "[4611686018427387904]", 0, 0) + "}", 0, "exceeds 64 bits"},
  });
}

TEST(ParseHeader, RefusesFilesOfAnotherSize) {
  const std::string json = "{\"a\":" + Tensor("F32", "[2]", 0, 8) + "}";
  const std::string end = std::to_string(8 + json.size() + 8);
  ExpectRefused({
      {json, 9, "1 bytes follow the end of the last tensor"},
      {json, 7, "the tensors end at byte"},
      {"{}", 1, "1 bytes follow"},
      {"{\"a\":" + Tensor("U8", "[1152921504606846976]", 0, 1152921504606846976u) + "}", 0,
       "the tensors end"},
  });
  const Error error = Caught([&] { Parse(json, 0); });
  EXPECT_THAT(error.advice(),
              AllOf(HasSubstr("incomplete download"), HasSubstr("of " + end + " bytes")));
}

// Orders of checks that kinds of errors depend on: text before places, places before the file.
TEST(ParseHeader, ReportsTheFirstProblemInTheReferencesOrder) {
  ExpectRefused({
      {"{\"a\":" + Tensor("U8", "[1]", 1, 2) + ",\"b\":\xFF}", 9, "UTF-8"},
      {"{\"a\":" + Tensor("U8", "[1]", 1, 2) + ",\"b\":1}", 9, "expected an object"},
      {"{\"a\":" + Tensor("U8", "[1]", 1, 2) + "}", 9, "leave a hole"},
  });
}

TEST(ParseHeader, KeepsNamesOutOfTheTerminal) {
  const std::string json = R"({"\u001b[31mred\n":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})";
  const Error error = Caught([&] { Parse(json, 2); });
  EXPECT_EQ(std::string_view(error.what()).find_first_of("\x1b\n"), std::string_view::npos);
}

TEST(ParseHeader, TakesAHeaderOfTwoMillionTensors) {
  std::string json = "{";
  json.reserve(kMaxHeaderSize);
  std::size_t count = 0;
  while (json.size() + 100 < kMaxHeaderSize) {
    if (count > 0) json += ',';
    json += '"' + std::to_string(count++) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  json += '}';
  EXPECT_EQ(Parse(json, 0).tensors.size(), count);
}

}  // namespace
}  // namespace weightsmith::internal
