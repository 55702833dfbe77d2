#include "core/model/pipeline_folders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/model/open_as_stored.h"
#include "tests/core/caught.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kHeader = R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";

TEST(PipelineFolders, AreThoseOfEveryDeclaration) {
  EXPECT_THAT(PipelineFolders(), ElementsAre("transformer", "unet", "text_encoder",
                                             "text_encoder_2", "text_encoder_3", "vae"));
  for (const Architecture* architecture : Architectures()) {
    for (const ArchitectureRow& row : architecture->rows) {
      const std::vector<ComponentRule> components = row.components();
      for (const ComponentRule& component : components) {
        EXPECT_THAT(PipelineFolders(), Contains(PipelineFolder(components, component.name)))
            << row.synth;
      }
    }
  }
}

TEST(OpenAsStored, TakesAPipelineForOneAndAnyOtherFolderForItsFile) {
  const Scratch scratch;
  for (const char* folder : {"unet", "text_encoder_2", "safety_checker"}) {
    std::filesystem::create_directory(scratch / folder);
    scratch.Make(std::string(folder) + "/model.safetensors", FileOf(kHeader, "x"));
  }
  EXPECT_THAT(Caught([&] { OpenAsStored(scratch.folder()); }).advice(), HasSubstr("'unet'"));
  EXPECT_NE(OpenAsStored(scratch / "unet")->Find("w"), nullptr);
  scratch.Make("model_index.json", "{}");
  const auto pipeline = OpenAsStored(scratch.folder());
  ASSERT_EQ(pipeline->tensors().size(), 2u);
  EXPECT_EQ(pipeline->tensors()[0].name, "text_encoder_2.w");
  EXPECT_EQ(pipeline->tensors()[1].name, "unet.w");
}

}  // namespace
}  // namespace weightsmith::internal
