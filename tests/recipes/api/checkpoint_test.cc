#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <weightsmith/weightsmith.h>

#include <cstring>
#include <string>

#include "core/synth/synth.h"
#include "tests/core/caught.h"
#include "tests/core/scratch.h"

namespace weightsmith {
namespace {

using internal::Caught;
using internal::FileOf;
using internal::Scratch;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Key;
using ::testing::Pair;

constexpr const char* kHeader = R"({"__metadata__":{"title":"Small"},)"
                                R"("b":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},)"
                                R"("a":{"dtype":"U8","shape":[],"data_offsets":[4,5]}})";

class CheckpointApi : public ::testing::Test {
 protected:
  Scratch scratch_;
  std::filesystem::path file_ = scratch_.Make(
      "small.safetensors", FileOf(kHeader, std::string_view("\x00\x3c\x00\xc0\x07", 5)));
};

TEST_F(CheckpointApi, HasNamesAndTensors) {
  const Checkpoint checkpoint = Checkpoint::Open(file_);
  EXPECT_EQ(checkpoint.path(), file_);
  EXPECT_EQ(checkpoint.format(), "safetensors");
  EXPECT_THAT(checkpoint.names(), ElementsAre("a", "b"));
  EXPECT_THAT(checkpoint.metadata(), ElementsAre(Pair("title", "Small")));
  const Tensor b = checkpoint["b"];
  EXPECT_EQ(b.name(), "b");
  EXPECT_EQ(b.dtype(), DType::kF16);
  EXPECT_THAT(b.shape(), ElementsAre(2));
  EXPECT_EQ(b.nbytes(), 4);
  EXPECT_THAT(b.Floats(), ElementsAre(1.0F, -2.0F));
  EXPECT_EQ(checkpoint["a"].Read(), std::vector{std::byte{7}});
}

TEST_F(CheckpointApi, GivesBytesThatOutliveIt) {
  const auto bytes_of = [&] { return Checkpoint::Open(file_)["b"]; };
  const Tensor b = bytes_of();
  ASSERT_EQ(b.bytes().size(), 4);
  EXPECT_EQ(std::memcmp(b.bytes().data(), "\x00\x3c\x00\xc0", 4), 0);
}

TEST_F(CheckpointApi, ReportsWhatIsNotThere) {
  EXPECT_EQ(Caught([&] { static_cast<void>(Checkpoint::Open(scratch_ / "none")); }).code(),
            ErrorCode::kInput);
  const Checkpoint checkpoint = Checkpoint::Open(file_);
  EXPECT_FALSE(checkpoint.Contains("c"));
  const Error error = Caught([&] { static_cast<void>(checkpoint["c"]); });
  EXPECT_EQ(error.code(), ErrorCode::kMismatch);
  EXPECT_THAT(error.what(), HasSubstr("has no tensor 'c'"));
  const Error values = Caught([&] { static_cast<void>(checkpoint["a"].Floats()); });
  EXPECT_EQ(values.code(), ErrorCode::kUsage);
  const auto broken = scratch_.Make("broken.safetensors", FileOf("{"));
  EXPECT_EQ(Caught([&] { static_cast<void>(ReadInfo(broken)); }).code(), ErrorCode::kInput);
}

TEST_F(CheckpointApi, KnowsWhatAFileIs) {
  const auto path = scratch_ / "tiny.safetensors";
  internal::Synthesise({.name = "sd15", .scale = "tiny"}, path);
  const Checkpoint checkpoint = Checkpoint::Open(path);
  EXPECT_EQ(checkpoint.architecture(), "sd1");
  EXPECT_EQ(checkpoint.variant(), "base");
  EXPECT_THAT(checkpoint.components(), IsSupersetOf({Key("unet"), Key("clip_l"), Key("vae")}));
  const std::vector<TensorBlock> blocks = checkpoint.Blocks();
  ASSERT_FALSE(blocks.empty());
  EXPECT_THAT(blocks, Contains(::testing::Field(&TensorBlock::block, "unet.in.3")));

  const CheckpointInfo info = ReadInfo(path, {.tensors = true});
  EXPECT_EQ(info.architecture, "sd1");
  EXPECT_EQ(info.scale, "tiny");
  EXPECT_EQ(info.tensors, checkpoint.names().size());
  EXPECT_EQ(info.entries.size(), info.tensors);
  EXPECT_TRUE(info.components.at("vae").complete);
  EXPECT_EQ(info.components.at("unet").tensors, checkpoint.components().at("unet").size());
  EXPECT_TRUE(ReadInfo(path).entries.empty());
}

TEST_F(CheckpointApi, IsTakenApartPutTogetherAndConverted) {
  const auto path = scratch_ / "tiny.safetensors";
  internal::Synthesise({.name = "sd15", .scale = "tiny"}, path);
  const Report parts = Split(path, scratch_ / "parts", {"unet", "vae"});
  EXPECT_EQ(parts.outputs.size(), 2);
  const Checkpoint vae = Checkpoint::Open(scratch_ / "parts" / "vae.safetensors");
  EXPECT_EQ(vae.architecture(), "vae");
  const Error error = Caught([&] {
    Assemble("sd1", {{"vae", scratch_ / "parts/unet.safetensors"}}, scratch_ / "x.safetensors");
  });
  EXPECT_EQ(error.code(), ErrorCode::kMismatch);
  Assemble("sd1",
           {{"unet", scratch_ / "parts" / "unet.safetensors"},
            {"vae", scratch_ / "parts" / "vae.safetensors"}},
           scratch_ / "whole.safetensors");
  Convert(path, scratch_ / "wide.safetensors", {.dtype = DType::kF32, .components = {"unet"}});
  const Checkpoint wide = Checkpoint::Open(scratch_ / "wide.safetensors");
  EXPECT_EQ(wide.components().size(), 1);
  EXPECT_EQ(wide["model.diffusion_model.out.2.weight"].dtype(), DType::kF32);
  EXPECT_EQ(wide["model.diffusion_model.out.2.weight"].Floats(),
            Checkpoint::Open(path)["model.diffusion_model.out.2.weight"].Floats());
}

TEST_F(CheckpointApi, IsConvertedToCodesWithScales) {
  const auto path = scratch_ / "sd15.safetensors";
  internal::Synthesise({.name = "sd15", .scale = "tiny"}, path);
  Convert(path, scratch_ / "codes.safetensors", {.dtype = "f8_scaled", .components = {"unet"}});
  const Checkpoint codes = Checkpoint::Open(scratch_ / "codes.safetensors");
  EXPECT_EQ(codes["model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"]
                .dtype(),
            DType::kF8E4M3);
  const Error error =
      Caught([&] { Convert(path, scratch_ / "none.safetensors", {.dtype = "f8_scale"}); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("f8_scaled"));
}

TEST_F(CheckpointApi, IsScannedAndVerified) {
  const std::vector<ScanResult> scanned = Scan(file_);
  ASSERT_EQ(scanned.size(), 1);
  EXPECT_TRUE(scanned[0].safe);
  EXPECT_EQ(scanned[0].verdict, "safe");
  const Verification found = Verify(file_);
  EXPECT_TRUE(found.right);
  EXPECT_EQ(found.status, 0);
  EXPECT_FALSE(found.recipe);
  EXPECT_THAT(found.checked, ElementsAre("structure", "finite values"));
  const auto nan = scratch_.Make("nan.safetensors",
                                 FileOf(kHeader, std::string_view("\x00\x3c\x00\x7e\x07", 5)));
  const Verification wrong = Verify(nan);
  EXPECT_FALSE(wrong.right);
  EXPECT_EQ(wrong.status, 7);
  EXPECT_THAT(wrong.problems, ElementsAre(HasSubstr("'b'")));
}

}  // namespace
}  // namespace weightsmith
