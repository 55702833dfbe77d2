#include "core/model/architecture_names.h"

#include <gtest/gtest.h>

#include "core/synth/synth.h"

namespace weightsmith::internal {
namespace {

TEST(SynthNameOf, TakesWhatPeopleSay) {
  const std::pair<const char*, const char*> cases[] = {{"sd15", "sd15"},
                                                       {"sd1.5", "sd15"},
                                                       {"SD 1.5", "sd15"},
                                                       {"sd1", "sd15"},
                                                       {"sd_xl base", "sdxl"},
                                                       {"SDXL base 1.0", "sdxl"},
                                                       {"stable-diffusion-xl-v1-base", "sdxl"},
                                                       {"flux", "flux1-dev"},
                                                       {"flux dev", "flux1-dev"},
                                                       {"FLUX.1-dev", "flux1-dev"},
                                                       {"flux.1 schnell", "flux1-schnell"},
                                                       {"sd 2.1", "sd21"},
                                                       {"sd1 inpainting", "sd15-inpainting"},
                                                       {"sd3.5 large", "sd3.5-large"},
                                                       {"pony", "sdxl"},
                                                       {"z image turbo", "z-image"},
                                                       {"clip-l", "clip_l"},
                                                       {"T5-XXL", "t5xxl"}};
  for (const auto& [words, name] : cases) EXPECT_EQ(SynthNameOf(words), name) << words;
  EXPECT_EQ(SynthNameOf("sd9"), std::nullopt);
  EXPECT_EQ(SynthNameOf(""), std::nullopt);
  EXPECT_EQ(SynthNameOf(".-_"), std::nullopt);
}

TEST(SynthNameOf, IsItselfOfEveryNameOfSynth) {
  for (const std::string& name : SynthNames()) EXPECT_EQ(SynthNameOf(name), name);
}

TEST(ArchitectureOf, KnowsEveryIdTitleAndNickname) {
  for (const Architecture* architecture : Architectures()) {
    EXPECT_EQ(ArchitectureOf(architecture->id), architecture);
    EXPECT_EQ(ArchitectureOf(architecture->title), architecture);
  }
  for (const std::string& name : KnownArchitectureNames()) {
    EXPECT_NE(ArchitectureOf(name), nullptr) << name;
  }
  EXPECT_EQ(ArchitectureOf("vae"), nullptr);
}

}  // namespace
}  // namespace weightsmith::internal
