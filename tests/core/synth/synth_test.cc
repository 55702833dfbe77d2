#include "core/synth/synth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>

#include "core/base/error.h"
#include "core/formats/checkpoint.h"
#include "core/formats/safetensors/layout.h"
#include "core/model/anatomy.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::map<DType, std::size_t> DTypesOf(const SynthOptions& options) {
  std::map<DType, std::size_t> dtypes;
  for (const SafetensorsEntry& tensor : LayOutSynth(options).tensors) ++dtypes[tensor.info.dtype];
  return dtypes;
}

template <class Body>
Error ErrorOf(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::kFailed, "nothing was thrown");
}

TEST(LayOutSynth, HasThePublishedTensorsAndDTypes) {
  using Counts = std::map<DType, std::size_t>;
  EXPECT_EQ(DTypesOf({.name = "sd15"}), (Counts{{DType::kF16, 1130}, {DType::kI64, 1}}));
  EXPECT_EQ(DTypesOf({.name = "sdxl"}), (Counts{{DType::kF16, 2514}, {DType::kI64, 1}}));
  EXPECT_EQ(DTypesOf({.name = "flux1-dev"}), (Counts{{DType::kBF16, 780}}));
  EXPECT_EQ(DTypesOf({.name = "flux1-schnell"}), (Counts{{DType::kBF16, 776}}));
  const auto whole = SynthLayout::kMonolithic;
  EXPECT_EQ(DTypesOf({.name = "flux1-dev", .layout = whole}), (Counts{{DType::kBF16, 1439}}));
  EXPECT_EQ(DTypesOf({.name = "flux1-schnell", .layout = whole}), (Counts{{DType::kBF16, 1435}}));
  EXPECT_EQ(DTypesOf({.name = "sd15", .layout = SynthLayout::kBare, .dtype = DType::kF32}),
            (Counts{{DType::kF32, 686}}));
  EXPECT_EQ(DTypesOf({.name = "clip_l"}), (Counts{{DType::kF16, 196}}));
  EXPECT_EQ(DTypesOf({.name = "t5xxl"}), (Counts{{DType::kBF16, 219}}));
}

TEST(LayOutSynth, HasTheSizeOfPublishedFiles) {
  const HeaderLayout layout = LayOutSynth({.name = "sd15"});
  EXPECT_EQ(layout.file_size - layout.data_start, 2'132'471'230u);
  EXPECT_EQ(layout.data_start % 4096, 0u);
  const HeaderLayout flux = LayOutSynth({.name = "flux1-dev"});
  EXPECT_EQ(flux.file_size - flux.data_start, 23'802'816'640u);
}

TEST(Synthesise, WritesWhatItLaysOut) {
  const Scratch scratch;
  for (const std::string& name : SynthNames()) {
    SCOPED_TRACE(name);
    const auto path = scratch / (name + ".safetensors");
    Synthesise({.name = name, .scale = "tiny", .seed = 1}, path, {.sync = false});
    const auto checkpoint = Checkpoint::Open(path);
    EXPECT_EQ(checkpoint->tensors().size(),
              LayOutSynth({.name = name, .scale = "tiny"}).tensors.size());
    const Anatomy anatomy = Examine(*checkpoint);
    EXPECT_EQ(anatomy.scale, "tiny");
    EXPECT_THAT(anatomy.damage, IsEmpty());
    for (const ComponentAnatomy& component : anatomy.components) EXPECT_TRUE(component.complete);
  }
}

TEST(Synthesise, DependsOnItsOptionsAlone) {
  const Scratch scratch;
  const auto bytes = [&](const SynthOptions& options) {
    Synthesise(options, scratch / "x.safetensors", {.overwrite = true, .sync = false});
    return Slurp(scratch / "x.safetensors");
  };
  const SynthOptions one = {.name = "sd15", .scale = "tiny", .seed = 1};
  SynthOptions two = one;
  two.seed = 2;
  SynthOptions tuned = two;
  tuned.finetune_of = 1;
  const std::string first = bytes(one);
  EXPECT_EQ(first, bytes(one));
  EXPECT_NE(first, bytes(two));
  EXPECT_NE(bytes(two), bytes(tuned));
}

TEST(Synthesise, ASparseFileHasItsHeaderAndTakesNoSpace) {
  const Scratch scratch;
  Synthesise({.name = "sdxl", .sparse = true}, scratch / "x.safetensors");
  const auto checkpoint = Checkpoint::Open(scratch / "x.safetensors");
  EXPECT_GT(checkpoint->size(), 6'937'676'352u);
  const Anatomy anatomy = Examine(*checkpoint);
  EXPECT_EQ(anatomy.id, "sdxl");
  EXPECT_THAT(anatomy.damage, IsEmpty());
  struct stat status {};
  ASSERT_EQ(::stat((scratch / "x.safetensors").c_str(), &status), 0);
  EXPECT_LT(status.st_blocks * 512, 4'000'000);
}

TEST(Synthesise, StoppedLeavesNothingBehind) {
  const Scratch scratch;
  const Error error = ErrorOf([&] {
    Synthesise({.name = "sd15", .scale = "tiny"}, scratch / "x.safetensors", {},
               [](std::uint64_t, std::uint64_t) { return false; });
  });
  EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  EXPECT_TRUE(std::filesystem::is_empty(scratch.folder()));
}

TEST(Synthesise, RefusesWhatItDoesNotKnow) {
  const Scratch scratch;
  const auto refused = [&](const SynthOptions& options) {
    const Error error = ErrorOf([&] { Synthesise(options, scratch / "x.safetensors"); });
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.message();
  };
  EXPECT_THAT(refused({.name = "sd51"}), HasSubstr("'sd51'. Did you mean 'sd15'?"));
  EXPECT_THAT(refused({.name = "sd15", .scale = "huge"}), HasSubstr("'huge'"));
  EXPECT_THAT(refused({.name = "sd15", .dtype = DType::kF4}), HasSubstr("dtype f4"));
  EXPECT_THAT(refused({.name = "vae", .layout = SynthLayout::kBare}), HasSubstr("one component"));
}

TEST(Examine, ReadsThePositions) {
  const Scratch scratch;
  Synthesise({.name = "sd15", .scale = "tiny"}, scratch / "x.safetensors", {.sync = false});
  const auto checkpoint = Checkpoint::Open(scratch / "x.safetensors");
  const auto* positions =
      checkpoint->Find("cond_stage_model.transformer.text_model.embeddings.position_ids");
  ASSERT_NE(positions, nullptr);
  {
    std::fstream file(scratch / "x.safetensors", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(positions->offset + 8 * 76));
    file.put(75);
  }
  EXPECT_THAT(Examine(*Checkpoint::Open(scratch / "x.safetensors")).damage,
              testing::ElementsAre(HasSubstr("position_ids' has 75 at place 76")));
}

}  // namespace
}  // namespace weightsmith::internal
