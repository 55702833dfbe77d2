#include "core/model/stored_scales.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

constexpr DType kCodes = DType::kF8E4M3;
constexpr DType kFloats = DType::kF32;

std::vector<CheckpointTensor> Header(std::vector<std::pair<std::string, TensorInfo>> tensors) {
  std::vector<CheckpointTensor> header;
  for (auto& [name, info] : tensors) header.push_back({.name = name, .info = info});
  std::ranges::sort(header, {}, &CheckpointTensor::name);
  return header;
}

/// "codes * scales (encoding)" of every tensor that has some.
std::vector<std::string> Joined(std::vector<std::pair<std::string, TensorInfo>> tensors) {
  const std::vector<CheckpointTensor> header = Header(std::move(tensors));
  const Anatomy anatomy = ExamineHeader(header, std::nullopt);
  std::vector<std::string> joined;
  for (std::uint32_t i = 0; i < header.size(); ++i) {
    const auto scales = ScalesOf(header, anatomy, i);
    if (!scales) continue;
    joined.push_back(header[i].name + " * " + scales->tensor->name + " (" +
                     std::string(scales->encoding->id) + ")");
  }
  return joined;
}

TEST(StoredScales, AreJoinedWithCodesWhereTheEncodingIsKnown) {
  EXPECT_THAT(Joined({{"a.weight", {kCodes, {300, 200}}},
                      {"a.weight_scale_inv", {kFloats, {3, 2}}},
                      {"b.weight", {kCodes, {6, 8}}},
                      {"b.weight_scale", {kFloats, {6, 1}}},
                      {"c.weight", {kCodes, {6, 8}}},
                      {"d.weight", {kFloats, {6, 8}}}}),
              ElementsAre("a.weight * a.weight_scale_inv (f8_block128)",
                          "b.weight * b.weight_scale (f8_scaled)"));
}

TEST(StoredScales, MayHaveMarksBesideThem) {
  EXPECT_THAT(Joined({{"a.comfy_quant", {DType::kU8, {29}}},
                      {"a.input_scale", {kFloats, {}}},
                      {"a.weight", {kCodes, {6, 8}}},
                      {"a.weight_scale", {kFloats, {}}}}),
              ElementsAre("a.weight * a.weight_scale (f8_scaled)"));
}

TEST(StoredScales, AreAnotherFormatsWithAnythingElseBesideThem) {
  const std::pair<std::string, TensorInfo> codes{"a.weight", {kCodes, {6, 8}}};
  const std::pair<std::string, TensorInfo> scales{"a.weight_scale", {kFloats, {}}};
  EXPECT_THAT(Joined({codes, scales, {"a.pre_quant_scale", {kFloats, {8}}}}), IsEmpty());
  EXPECT_THAT(Joined({codes, scales, {"a.scale_weight", {kFloats, {}}}}), IsEmpty());
  EXPECT_THAT(Joined({codes, {"a.weight_scale", {DType::kF8E8M0, {6}}}}), IsEmpty());
  EXPECT_THAT(Joined({codes, {"a.weight_scale", {kFloats, {6, 2}}}}), IsEmpty());
  EXPECT_THAT(Joined({{"a.weight", {DType::kI8, {6, 8}}}, scales}), IsEmpty());
}

TEST(StoredScales, SayWhichElementsTheyAreForInOtherShapes) {
  const std::vector<CheckpointTensor> header =
      Header({{"a.weight", {kCodes, {6, 8}}}, {"a.weight_scale", {kFloats, {6}}}});
  const Anatomy anatomy = ExamineHeader(header, std::nullopt);
  const auto scales = ScalesOf(header, anatomy, 0);
  ASSERT_TRUE(scales);
  EXPECT_THAT(scales->CellsOf({6, 8}), Optional(Grid::Rows(8)));
  EXPECT_THAT(scales->CellsOf({6, 18}), Optional(Grid::Rows(18)));
  EXPECT_EQ(scales->CellsOf({5, 8}), std::nullopt);
  EXPECT_EQ(ScalesOf(header, anatomy, 1), std::nullopt);
}

}  // namespace
}  // namespace weightsmith::internal
