#include "core/io/output_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/caught.h"

namespace weightsmith::internal {
namespace {

using ::testing::HasSubstr;

std::string AdviceOn(const char* name, OutputKind kind = OutputKind::kFile) {
  const auto fault = FaultOfOutputName(name, kind);
  return fault ? fault->advice : "";
}

TEST(OutputName, OfASafetensorsFileIsRight) {
  for (const char* name : {"out.safetensors", "a/b.c.safetensors", "out.sft", "OUT.SafeTensors",
                           "1-{0.5}.safetensors"}) {
    EXPECT_EQ(AdviceOn(name), "") << name;
  }
}

TEST(OutputName, OfAnotherFormatIsAFaultThatSaysWhatToWrite) {
  EXPECT_EQ(AdviceOn("out.ckpt"), "Write 'out.safetensors'.");
  EXPECT_EQ(AdviceOn("a/out.PT"), "Write 'a/out.safetensors'.");
  EXPECT_EQ(AdviceOn("out.gguf"), "Write 'out.safetensors'.");
  EXPECT_EQ(AdviceOn("out"), "Write 'out.safetensors'.");
  EXPECT_EQ(AdviceOn("mix-v1.5"), "Write 'mix-v1.5.safetensors'.");
  EXPECT_EQ(AdviceOn("out/"), "Write 'out/out.safetensors'.");
}

TEST(OutputName, OfStandardOutputIsAFault) {
  for (const OutputKind kind : {OutputKind::kFile, OutputKind::kFolder}) {
    EXPECT_THAT(AdviceOn("-", kind), HasSubstr("name of a file"));
  }
}

TEST(OutputName, OfAFolderIsNotThatOfAFile) {
  for (const char* name : {"pipeline", "model-v1.5", "a/b/", "."}) {
    EXPECT_EQ(AdviceOn(name, OutputKind::kFolder), "") << name;
  }
  EXPECT_EQ(AdviceOn("out.safetensors", OutputKind::kFolder), "Write 'out'.");
  EXPECT_EQ(AdviceOn("out.ckpt", OutputKind::kFolder), "Write 'out'.");
}

TEST(OutputName, WithAFaultIsAnErrorOfUsage) {
  const auto error = Caught([] { ExpectOutputName("x.bin", OutputKind::kFile); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_THAT(error.message(), HasSubstr("'x.bin' is named as a PyTorch file"));
}

}  // namespace
}  // namespace weightsmith::internal
