#include "core/model/quantised.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

struct Stored {
  const char* name;
  DType dtype;
  Shape shape;
};

/// "codes + companions" of every quantised weight of a header.
std::vector<std::string> Found(std::vector<Stored> header) {
  std::vector<CheckpointTensor> tensors;
  for (const Stored& stored : header) {
    tensors.push_back({.name = stored.name, .info = {stored.dtype, stored.shape}});
  }
  std::ranges::sort(tensors, {}, &CheckpointTensor::name);
  std::vector<std::string> found;
  for (const QuantisedWeight& weight : FindQuantised(tensors)) {
    std::string text = tensors[weight.codes.front()].name + " +";
    for (const std::uint32_t companion : weight.companions) text += " " + tensors[companion].name;
    found.push_back(text);
  }
  return found;
}

constexpr DType kFp8 = DType::kF8E4M3;
constexpr DType kF16 = DType::kF16;
constexpr DType kF32 = DType::kF32;

TEST(Quantised, Fp8IsCodesWithAnyFloatOfItsModule) {
  for (const char* name :
       {"a.b.weight_scale_inv", "a.b.scale", "a.b.scale_weight", "a.b.weight_scale", "a.b.wscale",
        "a.b.multiplier", "a.b.weight.scale", "a.b.amax"}) {
    EXPECT_THAT(Found({{"a.b.weight", kFp8, {8, 4}}, {name, kF32, {1}}, {"a.b.bias", kF16, {8}}}),
                ElementsAre(std::string("a.b.weight + ") + name));
  }
}

TEST(Quantised, SchemesOfEveryKindAreSeen) {
  EXPECT_THAT(Found({{"m.weight", DType::kI8, {8, 4}}, {"m.weight_scale", kF32, {8, 1}}}),
              ElementsAre("m.weight + m.weight_scale"));
  EXPECT_THAT(Found({{"m.weight", DType::kI8, {8, 4}}, {"m.SCB", kF32, {8}}}),
              ElementsAre("m.weight + m.SCB"));
  EXPECT_THAT(Found({{"m.weight", DType::kU8, {16, 1}},
                     {"m.weight.absmax", kF32, {1}},
                     {"m.weight.quant_map", kF32, {16}},
                     {"m.weight.quant_state.bitsandbytes__nf4", DType::kU8, {80}}}),
              ElementsAre("m.weight + m.weight.absmax m.weight.quant_map "
                          "m.weight.quant_state.bitsandbytes__nf4"));
  EXPECT_THAT(Found({{"m.qweight", DType::kI32, {4, 8}},
                     {"m.qzeros", DType::kI32, {1, 1}},
                     {"m.scales", kF16, {1, 8}},
                     {"m.g_idx", DType::kI32, {32}},
                     {"m.bias", kF16, {8}}}),
              ElementsAre("m.qweight + m.scales m.g_idx m.qzeros"));
  EXPECT_THAT(Found({{"m.qweight", DType::kI8, {8, 2}},
                     {"m.wscales", DType::kBF16, {1, 8}},
                     {"m.smooth_factor", DType::kBF16, {4}},
                     {"m.proj_down", DType::kBF16, {4, 2}}}),
              ElementsAre("m.qweight + m.wscales m.proj_down m.smooth_factor"));
  EXPECT_THAT(Found({{"m.weight", DType::kU8, {16, 8}},
                     {"m.weight_scale", kFp8, {128, 4}},
                     {"m.weight_scale_2", kF32, {}}}),
              ElementsAre("m.weight + m.weight_scale m.weight_scale_2"));
  EXPECT_THAT(Found({{"m.weight", kFp8, {32, 32}}, {"m.weight_scale", DType::kU8, {128, 4}}}),
              ElementsAre("m.weight + m.weight_scale"));
  EXPECT_THAT(
      Found({{"e.gate_up_proj", kFp8, {2, 8, 4}}, {"e.gate_up_proj_scales_inv", kF32, {2, 1, 1}}}),
      ElementsAre("e.gate_up_proj + e.gate_up_proj_scales_inv"));
  EXPECT_THAT(Found({{"e.down_proj_blocks", DType::kU8, {2, 8, 1, 16}},
                     {"e.down_proj_scales", DType::kU8, {2, 8, 1}},
                     {"e.down_proj_bias", kF16, {2, 8}}}),
              ElementsAre("e.down_proj_blocks + e.down_proj_scales"));
  EXPECT_THAT(Found({{"m.weight._data", DType::kI8, {8, 4}}, {"m.weight._scale", kF16, {8, 1}}}),
              ElementsAre("m.weight._data + m.weight._scale"));
  EXPECT_THAT(
      Found({{"m.W_q", DType::kU8, {4, 4}}, {"m.scale", kF16, {4, 1}}, {"m.zero", kF16, {4, 1}}}),
      ElementsAre("m.W_q + m.scale m.zero"));
  EXPECT_THAT(Found({{"m.weight", DType::kBF16, {16, 1}}, {"m.weight.absmax", kF32, {1}}}),
              ElementsAre("m.weight + m.weight.absmax"));
}

TEST(Quantised, WhatOnlyLooksAlikeIsPlain) {
  EXPECT_THAT(Found({{"a.weight", kFp8, {8, 4}}, {"a.bias", kF32, {8}}}), IsEmpty());
  EXPECT_THAT(Found({{"n.query_norm.scale", kF32, {8}}, {"n.weight", kFp8, {8, 8}}}), IsEmpty());
  EXPECT_THAT(Found({{"text_projection", kFp8, {8, 8}}, {"logit_scale", kF32, {}}}), IsEmpty());
  EXPECT_THAT(Found({{"embeddings.position_ids", DType::kI64, {1, 257}},
                     {"embeddings.class_embedding", kF32, {8}}}),
              IsEmpty());
  EXPECT_THAT(Found({{"attn.relative_position_index", DType::kI64, {49, 49}},
                     {"attn.relative_position_bias_table", kF32, {169, 4}}}),
              IsEmpty());
  EXPECT_THAT(Found({{"attn.bias", DType::kU8, {1, 1, 8, 8}}, {"attn.masked_bias", kF32, {}}}),
              IsEmpty());
  EXPECT_THAT(Found({{"gate.weight", kFp8, {8, 4}}, {"gate.e_score_correction_bias", kF32, {8}}}),
              IsEmpty());
  EXPECT_THAT(Found({{"bn.weight", kFp8, {8}},
                     {"bn.running_mean", kF32, {8}},
                     {"bn.num_batches_tracked", DType::kI64, {}}}),
              IsEmpty());
  EXPECT_THAT(
      Found({{"blocks.0.scale_shift_table", kF32, {6, 8}}, {"blocks.0.ff.weight", kFp8, {8, 8}}}),
      IsEmpty());
  EXPECT_THAT(Found({{"tekken_model", DType::kU8, {90}}, {"spiece_model", DType::kU8, {90}}}),
              IsEmpty());
  EXPECT_THAT(Found({{"m.weight", kF16, {8, 4}}, {"m.weight_v", kF16, {8, 4}}}), IsEmpty());
}

TEST(Quantised, CompanionsFollowTheNamesOfTheirCodes) {
  EXPECT_THAT(CompanionName("a.b.weight_scale", "a.b.weight", "p.x.weight"),
              Optional(std::string("p.x.weight_scale")));
  EXPECT_THAT(CompanionName("a.b.weight.absmax", "a.b.weight", "x.weight"),
              Optional(std::string("x.weight.absmax")));
  EXPECT_THAT(CompanionName("e.up_scales", "e.up", "f.up_proj"),
              Optional(std::string("f.up_proj_scales")));
  EXPECT_EQ(CompanionName("other.scale", "a.b.weight", "p.weight"), std::nullopt);
}

}  // namespace
}  // namespace weightsmith::internal
