// Expected bytes were written by the reference implementation (safetensors 0.8.0).
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/formats/safetensors/header.h"
#include "core/formats/safetensors/layout.h"

namespace weightsmith::internal {
namespace {

std::string Padded(std::string json, std::size_t size) {
  json.resize(size, ' ');
  std::string prefix(8, '\0');
  for (unsigned i = 0; i < 8; ++i) prefix[i] = static_cast<char>(size >> 8 * i & 0xFF);
  return prefix + json;
}

TEST(LayOut, EmptyFileIsSixteenBytes) {
  const HeaderLayout layout = LayOut({}, std::nullopt, 8);
  EXPECT_EQ(layout.header, std::string("\x08\0\0\0\0\0\0\0{}      ", 16));
  EXPECT_EQ(layout.file_size, 16u);
}

TEST(LayOut, SortsByAlignmentThenName) {
  const HeaderLayout layout = LayOut({{"b", {DType::kF16, {2}}},
                                      {"a", {DType::kF16, {3}}},
                                      {"z", {DType::kI64, {}}},
                                      {"B", {DType::kF32, {1, 2}}}},
                                     Metadata{{"format", "pt"}}, 8);
  const std::string json =
      R"({"__metadata__":{"format":"pt"},"z":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
      R"("B":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]},)"
      R"("a":{"dtype":"F16","shape":[3],"data_offsets":[16,22]},)"
      R"("b":{"dtype":"F16","shape":[2],"data_offsets":[22,26]}})";
  EXPECT_EQ(layout.header, Padded(json, (json.size() + 7) / 8 * 8));
  EXPECT_EQ(layout.file_size, layout.data_start + 26);
}

TEST(LayOut, PutsTheDataAtTheAlignment) {
  const HeaderLayout layout = LayOut({{"a", {DType::kF32, {2}}}}, std::nullopt, 4096);
  EXPECT_EQ(layout.data_start, 4096u);
  EXPECT_EQ(layout.header.size(), 4096u);
  EXPECT_EQ(layout.file_size, 4104u);
}

TEST(LayOut, EscapesAsTheReferenceDoes) {
  const HeaderLayout layout =
      LayOut({{"q\"b\\s/\x01\x1f\x7f\b\f\n\r\té", {DType::kU8, {0}}}}, std::nullopt, 1);
  EXPECT_EQ(layout.header.substr(8),
            "{\"q\\\"b\\\\s/\\u0001\\u001f\x7f\\b\\f\\n\\r\\té\":"
            "{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}");
}

TEST(LayOut, KeepsEmptyMetadata) {
  EXPECT_EQ(LayOut({}, Metadata{}, 1).header.substr(8), R"({"__metadata__":{}})");
}

TEST(LayOut, IsReadBackAsItWasLaidOut) {
  const Metadata metadata = {{"key", "v\xF0\x9F\x8E\xA8"}, {"", "\x01\"\\"}};
  const HeaderLayout layout =
      LayOut({{"x", {DType::kF4, {2, 3}}}, {"", {DType::kBool, {}}}, {"e", {DType::kU64, {0, 7}}}},
             metadata, 64);
  const SafetensorsHeader header =
      ParseHeader(std::string_view(layout.header).substr(8), layout.file_size);
  EXPECT_EQ(header.metadata, metadata);
  EXPECT_EQ(header.data_start, layout.data_start);
  ASSERT_EQ(header.tensors.size(), layout.tensors.size());
  for (std::size_t i = 0; i < header.tensors.size(); ++i) {
    EXPECT_EQ(header.tensors[i].name, layout.tensors[i].name);
    EXPECT_EQ(header.tensors[i].info, layout.tensors[i].info);
    EXPECT_EQ(header.tensors[i].begin, layout.tensors[i].begin);
    EXPECT_EQ(header.tensors[i].end, layout.tensors[i].end);
  }
}

struct RefusedLayout {
  const char* why;
  std::vector<TensorSpec> tensors;
};

TEST(LayOut, RefusesWhatNoReaderTakes) {
  const std::vector<RefusedLayout> cases = {
      {"same name", {{"a", {DType::kF32, {1}}}, {"a", {DType::kF16, {1}}}}},
      {"metadata", {{"__metadata__", {DType::kF32, {1}}}}},
      {"whole bytes", {{"a", {DType::kF4, {3}}}}},
      {"64 bits", {{"a", {DType::kF32, {UINT64_MAX, 2}}}}},
      {"64 bits",
       {{"a", {DType::kU8, {UINT64_MAX / 8}}},
        {"b", {DType::kF64, {UINT64_MAX / 64}}},
        {"c", {DType::kF64, {UINT64_MAX / 64}}},
        {"d", {DType::kF64, {UINT64_MAX / 64}}},
        {"e", {DType::kF64, {UINT64_MAX / 64}}},
        {"f", {DType::kF64, {UINT64_MAX / 64}}},
        {"g", {DType::kF64, {UINT64_MAX / 64}}},
        {"h", {DType::kF64, {UINT64_MAX / 64}}},
        {"i", {DType::kF64, {UINT64_MAX / 64}}}}},
      {"UTF-8", {{"a\xFF", {DType::kF32, {1}}}}},
      {"at most", {{std::string(kMaxHeaderSize, 'a'), {DType::kF32, {1}}}}},
  };
  for (const RefusedLayout& refused : cases) {
    try {
      LayOut(refused.tensors, std::nullopt, 8);
      ADD_FAILURE() << refused.why;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_NE(std::string(error.what()).find(refused.why), std::string::npos) << error.what();
    }
  }
}

TEST(ReplaceMetadata, KeepsTheDataWhereItIs) {
  const HeaderLayout layout = LayOut({{"a", {DType::kF32, {2}}}}, Metadata{{"title", "old"}}, 4096);
  const auto header = ReplaceMetadata(layout, Metadata{{"title", "a longer one"}, {"x", "y"}});
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->size(), layout.header.size());
  EXPECT_EQ(header->substr(0, 8), layout.header.substr(0, 8));
  const SafetensorsHeader read = ParseHeader(std::string_view(*header).substr(8), layout.file_size);
  EXPECT_EQ(read.metadata, (Metadata{{"title", "a longer one"}, {"x", "y"}}));
  EXPECT_EQ(read.tensors.at(0).name, "a");
}

TEST(ReplaceMetadata, SaysWhenItDoesNotFit) {
  const HeaderLayout layout = LayOut({}, Metadata{{"k", std::string(40, 'x')}}, 8);
  const std::size_t room =
      layout.data_start - 8 - std::string(R"({"__metadata__":{"k":""}})").size();
  EXPECT_TRUE(ReplaceMetadata(layout, Metadata{{"k", std::string(room, 'x')}}).has_value());
  EXPECT_FALSE(ReplaceMetadata(layout, Metadata{{"k", std::string(room + 1, 'x')}}).has_value());
}

}  // namespace
}  // namespace weightsmith::internal
