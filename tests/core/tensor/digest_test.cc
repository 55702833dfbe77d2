#include "core/tensor/digest.h"

#include <gtest/gtest.h>

#include <vector>

namespace weightsmith::internal {
namespace {

std::vector<std::byte> Pattern(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>(i * i * 7 + i * 131 + (i >> 8) * 17);
  }
  return bytes;
}

// Both computed in Python from the description in the header.
TEST(TensorDigest, CoversDtypeShapeAndBlocks) {
  const std::vector<std::byte> pattern = Pattern(3 << 20);
  std::vector<Digest> blocks;
  for (std::size_t at = 0; at < pattern.size(); at += kDigestBlock) {
    blocks.push_back(Xxh3(std::span(pattern).subspan(at, kDigestBlock)));
  }
  const TensorInfo info = {DType::kF16, {1536, 1024}};
  EXPECT_EQ(TensorDigest(info, blocks).ToHex(), "10503b03962d139563514ae3fa04265e");
  EXPECT_NE(TensorDigest({DType::kBF16, {1536, 1024}}, blocks), TensorDigest(info, blocks));
  EXPECT_NE(TensorDigest({DType::kF16, {1024, 1536}}, blocks), TensorDigest(info, blocks));
}

TEST(TensorDigest, TakesScalarsAndEmptyTensors) {
  const std::vector<Digest> block = {Xxh3(Pattern(2))};
  EXPECT_EQ(TensorDigest({DType::kBF16, {}}, block).ToHex(), "8e3fa7f96aacc08de8c3ba137e998e1d");
  EXPECT_EQ(TensorDigest({DType::kF32, {0, 4}}, {}).ToHex(), "9485e9289ac469ad5d98b298040d05f0");
}

}  // namespace
}  // namespace weightsmith::internal
