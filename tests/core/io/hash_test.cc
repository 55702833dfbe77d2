#include "core/io/hash.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/base/simd.h"

namespace weightsmith::internal {
namespace {

std::vector<std::byte> PatternBytes(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>(i * i * 7 + i * 131 + (i >> 8) * 17);
  }
  return bytes;
}

std::span<const std::byte> BytesOf(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// Computed with the xxhash package for Python, over Pattern.
const std::pair<std::size_t, const char*> kXxh3[] = {
    {0, "99aa06d3014798d86001c324468d497f"},       {1, "a6cd5e9392000f6ac44bdff4074eecdb"},
    {3, "c6c920ef7817494674057618ea83e6b2"},       {4, "003e2bc61b223cb07c2ebbfdc3ca25ff"},
    {8, "5d809ba208192260b07bbb1a63542569"},       {16, "37afab729b5aa7fc7c9c14fb2e852f6e"},
    {17, "facda454e5530bf2e9e0203f61f428fb"},      {128, "145e084675a60e15ba1e7910ac77289f"},
    {129, "f84c53bd3fac98b633bd97e6d86b6c01"},     {240, "8dc83b68ecff8f96933cafe66f45beaf"},
    {241, "15ab4ca54950a80550bc6cd982f7f7d7"},     {1024, "32293a188494102e0e4da65f1c51eb60"},
    {1025, "a0ceb38a4ac0dd1cc1bfc75b7df428ec"},    {65537, "07777beb92c56ebc382852597901b996"},
    {1048576, "80b25b9c6e8543be82315d7fa55dfe33"}, {1048577, "d489b36cb2eb2aabf42516bce5ee7e23"},
    {3145728, "a45723e74333456bed019214bac5c7e7"},
};

class Xxh3Digest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ForceSimdTarget(GetParam()); }
  void TearDown() override { ForceSimdTarget(""); }
  const std::vector<std::byte> pattern_ = PatternBytes(3 << 20);
};
INSTANTIATE_TEST_SUITE_P(On, Xxh3Digest, testing::ValuesIn(SimdTargets()),
                         [](const auto& target) { return target.param; });

TEST_P(Xxh3Digest, AgreesWithTheReference) {
  for (const auto& [size, expected] : kXxh3) {
    EXPECT_EQ(Xxh3(std::span(pattern_).first(size)).ToHex(), expected) << size;
  }
}

TEST_P(Xxh3Digest, DoesNotDependOnAlignment) {
  std::vector<std::byte> moved(pattern_.size() + 1);
  std::copy(pattern_.begin(), pattern_.end(), moved.begin() + 1);
  for (const auto& [size, expected] : kXxh3) {
    EXPECT_EQ(Xxh3(std::span(moved).subspan(1, size)).ToHex(), expected) << size;
  }
}

TEST_P(Xxh3Digest, DoesNotDependOnThePiecesOfAStream) {
  Xxh3Stream stream;
  for (const auto& [size, expected] : kXxh3) {
    stream.Reset();
    std::span<const std::byte> rest = std::span(pattern_).first(size);
    for (std::size_t piece = 1; !rest.empty(); piece = piece * 3 + 1) {
      stream.Update(rest.first(std::min(piece, rest.size())));
      rest = rest.subspan(std::min(piece, rest.size()));
    }
    EXPECT_EQ(stream.Finish().ToHex(), expected) << size;
    EXPECT_EQ(stream.Finish().ToHex(), expected) << size;
  }
}

TEST_P(Xxh3Digest, OfAStreamSurvivesAChangeOfInstructionSet) {
  Xxh3Stream stream;
  stream.Update(std::span(pattern_).first(1000));
  ForceSimdTarget("");
  stream.Update(std::span(pattern_).subspan(1000, 25));
  EXPECT_EQ(stream.Finish().ToHex(), "a0ceb38a4ac0dd1cc1bfc75b7df428ec");
}

TEST(Digest, ReadsItsOwnDigits) {
  const Digest digest = Xxh3(BytesOf("x"));
  EXPECT_EQ(Digest::FromHex(digest.ToHex()), digest);
  EXPECT_EQ(Digest::FromHex("5C7401C0EC22EEEEEAF06C6480B2CD11"), digest);
  EXPECT_EQ(Digest::FromHex(digest.ToHex().substr(1)), std::nullopt);
  EXPECT_EQ(Digest::FromHex(digest.ToHex() + "0"), std::nullopt);
  EXPECT_EQ(Digest::FromHex("5c7401c0ec22eeeeeaf06c6480b2cd1g"), std::nullopt);
}

// Computed in Python from the description in the header.
TEST(SetDigest, CoversNamesAndDigestsInOrder) {
  SetDigest set;
  set.Add("alpha", Xxh3(BytesOf("x")));
  set.Add("beta", Xxh3(BytesOf("y")));
  EXPECT_EQ(set.Finish().ToHex(), "9f426611841b5982102cc5104488aa5e");
}

// FIPS 180-2 and its appendices.
TEST(Sha256, AgreesWithTheStandard) {
  const auto sha256 = [](std::string_view text) {
    Sha256 sha;
    sha.Update(BytesOf(text));
    return sha.Finish();
  };
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, TakesPieces) {
  Sha256 sha;
  for (const char* piece : {"a", "", "bc"}) sha.Update(BytesOf(piece));
  EXPECT_EQ(sha.Finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace weightsmith::internal
