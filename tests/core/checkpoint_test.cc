#include "core/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/error.h"
#include "core/io/byte_source.h"
#include "tests/core/scratch.h"

namespace weightsmith {
namespace {

using ::testing::HasSubstr;

const char kTwoTensors[] =
    R"({"__metadata__":{"format":"pt"},"b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
    R"("a":{"dtype":"F16","shape":[1,2],"data_offsets":[3,7]}})";

std::string Text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class CheckpointBackends : public ::testing::TestWithParam<IoBackend> {
 protected:
  Scratch scratch_;
};
INSTANTIATE_TEST_SUITE_P(Io, CheckpointBackends,
                         ::testing::Values(IoBackend::kMap, IoBackend::kRead),
                         [](const auto& backend) {
                           return backend.param == IoBackend::kMap ? "Map" : "Read";
                         });

TEST_P(CheckpointBackends, OpensOneFile) {
  const auto path = scratch_.Make("x.bin", FileOf(kTwoTensors, "xyzABCD"));
  const auto checkpoint = Checkpoint::Open(path, GetParam());
  EXPECT_EQ(checkpoint->format(), CheckpointFormat::kSafetensors);
  EXPECT_EQ(checkpoint->path(), path);
  EXPECT_EQ(checkpoint->size(), std::filesystem::file_size(path));
  EXPECT_EQ(checkpoint->metadata(), (Metadata{{"format", "pt"}}));
  ASSERT_EQ(checkpoint->tensors().size(), 2u);
  EXPECT_EQ(checkpoint->tensors()[0].name, "a");
  EXPECT_EQ(checkpoint->tensors()[1].name, "b");
  EXPECT_EQ(checkpoint->Find("c"), nullptr);
  EXPECT_EQ(checkpoint->Find(""), nullptr);
  const CheckpointTensor* a = checkpoint->Find("a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->info, (TensorInfo{DType::kF16, {1, 2}}));
  EXPECT_EQ(Text(checkpoint->Read(*a)), "ABCD");
  std::vector<std::byte> part(2);
  checkpoint->Read(*a, 1, part);
  EXPECT_EQ(Text(part), "BC");
  EXPECT_EQ(checkpoint->files()[0]->backend(), GetParam());
}

}  // namespace
}  // namespace weightsmith
