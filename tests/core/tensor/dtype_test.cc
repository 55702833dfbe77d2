#include "core/tensor/dtype.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace weightsmith::internal {
namespace {

TEST(DType, NamesAreThoseOfSafetensorsInItsOrderOfAlignment) {
  std::vector<std::string_view> names;
  for (const DTypeInfo& info : DTypes()) names.push_back(info.name);
  EXPECT_THAT(names,
              testing::ElementsAre("BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2",
                                   "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I16", "U16",
                                   "F16", "BF16", "I32", "U32", "F32", "C64", "F64", "I64", "U64"));
}

TEST(DType, SizesAreInBits) {
  EXPECT_EQ(Info(DType::kF4).bits, 4);
  EXPECT_EQ(Info(DType::kF6E3M2).bits, 6);
  EXPECT_EQ(Info(DType::kBool).bits, 8);
  EXPECT_EQ(Info(DType::kBF16).bits, 16);
  EXPECT_EQ(Info(DType::kF32).bits, 32);
  EXPECT_EQ(Info(DType::kC64).bits, 64);
}

TEST(DType, SixOfThemCanBeComputedWith) {
  std::vector<std::string_view> words;
  for (const DTypeInfo& info : DTypes()) {
    if (info.has_codec) words.push_back(info.word);
  }
  EXPECT_THAT(words, testing::ElementsAre("f8_e5m2", "f8_e4m3", "f16", "bf16", "f32", "f64"));
}

TEST(DType, HeaderNamesAreExact) {
  for (const DTypeInfo& info : DTypes()) EXPECT_EQ(DTypeByName(info.name), info.dtype);
  EXPECT_EQ(DTypeByName("f16"), std::nullopt);
  EXPECT_EQ(DTypeByName("F8_E4M3FN"), std::nullopt);
  EXPECT_EQ(DTypeByName(""), std::nullopt);
}

TEST(DType, PeopleWriteThemInManyWays) {
  for (const DTypeInfo& info : DTypes()) {
    EXPECT_EQ(DTypeByWord(info.name), info.dtype);
    EXPECT_EQ(DTypeByWord(info.word), info.dtype);
  }
  for (const char* word : {"fp16", "FP16", "float16", "half", "Half"}) {
    EXPECT_EQ(DTypeByWord(word), DType::kF16) << word;
  }
  for (const char* word : {"fp8", "f8_e4m3", "float8_e4m3fn", "fp8_e4m3fn"}) {
    EXPECT_EQ(DTypeByWord(word), DType::kF8E4M3) << word;
  }
  EXPECT_EQ(DTypeByWord("float8_e5m2"), DType::kF8E5M2);
  EXPECT_EQ(DTypeByWord("bfloat16"), DType::kBF16);
  EXPECT_EQ(DTypeByWord("float32"), DType::kF32);
  EXPECT_EQ(DTypeByWord("fp32"), DType::kF32);
  EXPECT_EQ(DTypeByWord("double"), DType::kF64);
  EXPECT_EQ(DTypeByWord("float17"), std::nullopt);
  EXPECT_EQ(DTypeByWord(" f16"), std::nullopt);
}

}  // namespace
}  // namespace weightsmith::internal
