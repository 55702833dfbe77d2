#include "core/tensor/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

const Encoding& Named(std::string_view id) {
  for (const Encoding* encoding : Encodings()) {
    if (encoding->id == id) return *encoding;
  }
  throw std::out_of_range("no such encoding");
}

TEST(Encodings, AreDeclaredInFull) {
  std::vector<std::string_view> ids;
  for (const Encoding* encoding : Encodings()) {
    ids.push_back(encoding->id);
    EXPECT_FALSE(encoding->doc.empty() || encoding->source.empty()) << encoding->id;
    EXPECT_FALSE(encoding->codes.empty() || encoding->companions.empty()) << encoding->id;
    EXPECT_NE(encoding->grid, nullptr) << encoding->id;
  }
  EXPECT_THAT(ids, ElementsAre("f8_block128", "f8_scaled"));
}

TEST(Encodings, ScaledFp8HasOneScaleOrOneForEachRow) {
  const auto grid = Named("f8_scaled").grid;
  EXPECT_THAT(grid({6, 8}, {}), Optional(Grid::Whole(48)));
  EXPECT_THAT(grid({6, 8}, {1}), Optional(Grid::Whole(48)));
  EXPECT_THAT(grid({6, 8}, {6, 1}), Optional(Grid::Rows(8)));
  EXPECT_THAT(grid({6, 8, 3, 3}, {6}), Optional(Grid::Rows(72)));
  EXPECT_EQ(grid({6, 8}, {8}), std::nullopt);
  EXPECT_EQ(grid({6, 8}, {1, 6}), std::nullopt);
}

TEST(Encodings, BlockFp8HasAScaleForEachBlock) {
  const auto grid = Named("f8_block128").grid;
  EXPECT_THAT(grid({300, 200}, {3, 2}), Optional(Grid{200, 128, 128}));
  EXPECT_THAT(grid({128, 128}, {1, 1}), Optional(Grid{128, 128, 128}));
  EXPECT_EQ(grid({300, 200}, {2, 2}), std::nullopt);
  EXPECT_EQ(grid({300, 200}, {6}), std::nullopt);
  EXPECT_EQ(grid({300, 0}, {3, 0}), std::nullopt);
}

TEST(Encodings, SayWhatStandsBesideCodes) {
  EXPECT_THAT(CompanionScheme("a.b.weight_scale"), Optional(std::string_view("scaled")));
  EXPECT_THAT(CompanionScheme("unet.scaled_fp8"), Optional(std::string_view("scaled_fp8")));
  EXPECT_THAT(CompanionScheme("a.comfy_quant"), Optional(std::string_view("comfy_quant")));
  EXPECT_EQ(CompanionScheme("a.weight"), std::nullopt);
  // Beside a wider weight it may be anything.
  EXPECT_EQ(CompanionScheme("a.weight_scale_inv"), std::nullopt);
  EXPECT_TRUE(IsEncodingMark("a.scale_input"));
  EXPECT_TRUE(IsEncodingMark("scaled_fp8"));
  EXPECT_FALSE(IsEncodingMark("a.scale_weight"));
  EXPECT_THAT(EncodingMarkers(), ElementsAre("scaled_fp8"));
  EXPECT_TRUE(HasScales(Named("f8_block128"), ".weight_scale_inv"));
  EXPECT_FALSE(HasScales(Named("f8_scaled"), ".scale_input"));
}

TEST(Encodings, AreNamedWhereADTypeIs) {
  EXPECT_THAT(StoredAsByWord("fp16"), Optional(StoredAs(DType::kF16)));
  const auto blocks = StoredAsByWord("f8_block128");
  ASSERT_TRUE(blocks);
  EXPECT_EQ(blocks->encoding, &Named("f8_block128"));
  EXPECT_EQ(blocks->dtype, DType::kF8E4M3);
  EXPECT_NE(*blocks, StoredAs(DType::kF8E4M3));
  EXPECT_EQ(WordOf(*blocks), "f8_block128");
  EXPECT_EQ(WordOf(DType::kBF16), "bf16");
  EXPECT_EQ(StoredAsByWord("f8_block64"), std::nullopt);
}

TEST(Encodings, WriteScalesThatTheyRead) {
  for (const Encoding* encoding : Encodings()) {
    SCOPED_TRACE(std::string(encoding->id));
    for (const Shape& weight : {Shape{300, 200}, Shape{128, 128}, Shape{1, 129}}) {
      const std::optional<Shape> scales = encoding->scales_of(weight);
      ASSERT_TRUE(scales);
      const std::optional<Grid> cells = encoding->grid(weight, *scales);
      ASSERT_TRUE(cells);
      EXPECT_EQ(cells->CellCount(ElementCount(weight).value()), ElementCount(*scales).value());
    }
    EXPECT_EQ(encoding->scales_of({0, 8}), std::nullopt);
    EXPECT_TRUE(HasScales(*encoding, WrittenScales(*encoding)));
  }
  EXPECT_THAT(Named("f8_block128").scales_of({300, 200}), Optional(Shape{3, 2}));
  EXPECT_EQ(Named("f8_block128").scales_of({300, 200, 3, 3}), std::nullopt);
  EXPECT_EQ(WrittenMarker(Named("f8_scaled")), "scaled_fp8");
  EXPECT_EQ(WrittenMarker(Named("f8_block128")), "");
}

TEST(Grid, CountsCellsByRows) {
  const Grid cells{.columns = 5, .cell_rows = 2, .cell_columns = 3};
  EXPECT_EQ(cells.CellsAcross(), 2u);
  EXPECT_EQ(cells.CellCount(15), 4u);
  std::vector<std::uint64_t> found;
  std::vector<std::uint64_t> runs;
  for (std::uint64_t element = 0; element < 15; ++element) {
    found.push_back(cells.CellOf(element));
    runs.push_back(cells.RunFrom(element));
  }
  EXPECT_THAT(found, ElementsAre(0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3));
  EXPECT_THAT(runs, ElementsAre(3, 2, 1, 2, 1, 3, 2, 1, 2, 1, 3, 2, 1, 2, 1));
  EXPECT_EQ(cells.FirstCellFrom(14), 2u);
}

TEST(Grid, OfATensorWithoutElementsHasNoRows) {
  EXPECT_EQ(Grid::Rows(0).CellCount(0), 0u);
  EXPECT_EQ(Grid::Whole(7).CellCount(7), 1u);
  EXPECT_EQ(Grid::Whole(7).CellOf(6), 0u);
}

}  // namespace
}  // namespace weightsmith::internal
