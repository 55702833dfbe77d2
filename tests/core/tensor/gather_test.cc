#include "core/tensor/gather.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <string>

#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

/// A file of elements of which each says its own index.
std::vector<std::uint16_t> Counting(std::size_t n) {
  std::vector<std::uint16_t> values(n);
  std::iota(values.begin(), values.end(), std::uint16_t{0});
  return values;
}

class GatheredFile : public ::testing::TestWithParam<IoBackend> {
 protected:
  void Open(std::size_t elements) {
    values_ = Counting(elements);
    const std::string bytes(reinterpret_cast<const char*>(values_.data()), 2 * elements);
    files_ = {OpenByteSource(scratch_.Make("counting", bytes), GetParam())};
  }
  std::vector<std::uint16_t> Read(const Gather& gather, std::uint64_t first,
                                  std::uint64_t count) const {
    std::vector<std::uint16_t> out(count);
    ReadGathered(gather, files_, 2, first, std::as_writable_bytes(std::span(out)));
    return out;
  }

  Scratch scratch_;
  std::vector<std::uint16_t> values_;
  std::vector<std::shared_ptr<const ByteSource>> files_;
};
INSTANTIATE_TEST_SUITE_P(Io, GatheredFile, ::testing::Values(IoBackend::kMap, IoBackend::kRead),
                         [](const auto& backend) {
                           return backend.param == IoBackend::kMap ? "Map" : "Read";
                         });

using Elements = std::vector<std::uint16_t>;

TEST_P(GatheredFile, ReadsATranspose) {
  Open(6);  // 0 1 2 / 3 4 5
  const Gather transpose = {{0, 0, {{3, 1}, {2, 3}}}};
  EXPECT_EQ(Read(transpose, 0, 6), (Elements{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(Read(transpose, 1, 4), (Elements{3, 1, 4, 2}));
}

TEST_P(GatheredFile, ReadsRunsOneAfterTheOther) {
  Open(10);
  const Gather swapped = {ContiguousRun(0, 10, 5), ContiguousRun(0, 0, 5)};
  EXPECT_EQ(Read(swapped, 0, 10), (Elements{5, 6, 7, 8, 9, 0, 1, 2, 3, 4}));
  EXPECT_EQ(Read(swapped, 4, 2), (Elements{9, 0}));
}

TEST_P(GatheredFile, RepeatsWhereTheStrideIsZero) {
  Open(4);
  const Gather rows = {{0, 2, {{3, 0}, {2, 1}}}};
  EXPECT_EQ(Read(rows, 0, 6), (Elements{1, 2, 1, 2, 1, 2}));
  EXPECT_EQ(Read(rows, 3, 2), (Elements{2, 1}));
}

TEST_P(GatheredFile, ReadsAScalar) {
  Open(4);
  EXPECT_EQ(Read({{0, 6, {}}}, 0, 1), Elements{3});
}

/// The element of a run by its index, straight from the definition of strides.
std::uint64_t PlaceOf(const GatherRun& run, std::uint64_t index) {
  std::uint64_t place = run.offset / 2;
  for (auto axis = run.axes.rbegin(); axis != run.axes.rend(); ++axis) {
    place += index % axis->size * axis->stride;
    index /= axis->size;
  }
  return place;
}

GatherRun RandomRun(std::mt19937& random, std::uint64_t elements) {
  GatherRun run;
  std::uint64_t last = 0;
  const std::size_t axes = random() % 4 + 1;
  for (std::size_t i = 0; i < axes; ++i) {
    const std::uint64_t size = random() % 12 + 1;
    const std::uint64_t stride = random() % (elements / (12 * 4 * 2));
    run.axes.push_back({size, stride});
    last += (size - 1) * stride;
  }
  run.offset = 2 * (random() % (elements - last));
  return run;
}

TEST_P(GatheredFile, ReadsAnyRangeOfAnyView) {
  constexpr std::uint64_t kElements = 60'000;
  Open(kElements);
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    Gather gather;
    Elements expected;
    for (std::size_t runs = random() % 3 + 1; runs > 0; --runs) {
      gather.push_back(RandomRun(random, kElements));
      for (std::uint64_t i = 0; i < gather.back().elements(); ++i) {
        expected.push_back(values_[PlaceOf(gather.back(), i)]);
      }
    }
    const std::uint64_t first = random() % expected.size();
    const std::uint64_t count = random() % (expected.size() - first) + 1;
    ASSERT_EQ(Read(gather, first, count),
              Elements(expected.begin() + static_cast<std::ptrdiff_t>(first),
                       expected.begin() + static_cast<std::ptrdiff_t>(first + count)))
        << "round " << round;
  }
}

/// All of a tensor written in pieces of `step` elements.
Elements Scattered(const Gather& gather, const Elements& tensor, std::uint64_t step) {
  Elements file(tensor.size());
  for (std::uint64_t first = 0; first < tensor.size(); first += step) {
    const auto part = std::span(tensor).subspan(first, std::min(step, tensor.size() - first));
    WriteScattered(gather, 2, first, std::as_bytes(part),
                   [&](std::uint32_t, std::uint64_t offset, std::span<const std::byte> bytes) {
                     std::ranges::copy(bytes, std::as_writable_bytes(std::span(file)).begin() +
                                                  static_cast<std::ptrdiff_t>(offset));
                   });
  }
  return file;
}

TEST(WriteScattered, IsTheInverseOfReading) {
  const Elements tensor = {0, 3, 1, 4, 2, 5};
  const Gather transpose = {{0, 0, {{3, 1}, {2, 3}}}};
  for (const std::uint64_t step : {1, 2, 4, 5, 6}) {
    EXPECT_EQ(Scattered(transpose, tensor, step), (Elements{0, 1, 2, 3, 4, 5})) << step;
  }
}

TEST(WriteScattered, WritesWhatLiesTogetherInOnePiece) {
  const Elements tensor = Counting(12);
  std::vector<std::pair<std::uint64_t, std::size_t>> pieces;
  WriteScattered({ContiguousRun(1, 100, 6), ContiguousRun(1, 40, 6)}, 2, 2,
                 std::as_bytes(std::span(tensor)).first(20),
                 [&](std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes) {
                   EXPECT_EQ(file, 1u);
                   pieces.emplace_back(offset, bytes.size());
                 });
  EXPECT_EQ(pieces, (std::vector<std::pair<std::uint64_t, std::size_t>>{{104, 8}, {40, 12}}));
}

}  // namespace
}  // namespace weightsmith::internal
