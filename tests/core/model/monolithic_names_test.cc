#include "core/model/monolithic_names.h"

#include <gtest/gtest.h>

#include "tests/core/anatomy/declared.h"

namespace weightsmith::internal {
namespace {

TEST(NameWithin, GivesAPartTheNamesOfItsParent) {
  TensorList tensors = PartAlone("clip_l", 0);
  Add(tensors, "logit_scale", DType::kF32, {});
  Add(tensors, "mystery", DType::kF32, {3});
  const auto names = [&](std::string_view parent, std::string_view name) {
    Anatomy anatomy = ExamineHeader(tensors, std::nullopt);
    const std::string_view variant = parent == "flux1" ? "dev" : "base";
    NameWithin(anatomy, RowOf(parent, variant, "full"));
    return ToldOf(anatomy, tensors, name).canonical;
  };
  constexpr std::string_view kNorm = "text_model.final_layer_norm.bias";
  EXPECT_EQ(names("sd1", kNorm), "cond_stage_model.transformer.text_model.final_layer_norm.bias");
  EXPECT_EQ(names("sdxl", kNorm),
            "conditioner.embedders.0.transformer.text_model.final_layer_norm.bias");
  EXPECT_EQ(names("flux1", kNorm),
            "text_encoders.clip_l.transformer.text_model.final_layer_norm.bias");
  EXPECT_EQ(names("flux1", "logit_scale"), "text_encoders.clip_l.logit_scale");
  EXPECT_EQ(names("flux1", "mystery"), "mystery");
}

TEST(NameWithin, LeavesAPartThatTheParentLacks) {
  const TensorList tensors = PartAlone("t5xxl", 0);
  Anatomy anatomy = ExamineHeader(tensors, std::nullopt);
  NameWithin(anatomy, RowOf("sd1", "base", "full"));
  EXPECT_EQ(ToldOf(anatomy, tensors, "shared.weight").canonical, "shared.weight");
}

}  // namespace
}  // namespace weightsmith::internal
