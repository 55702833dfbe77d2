#include "merge/run/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "merge/run/tile_runner.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Keeps the bytes of each file, and how they came.
class Kept final : public Destination {
 public:
  void Write(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes) override {
    std::vector<std::byte>& all = files[file];
    if (all.size() < offset + bytes.size()) all.resize(offset + bytes.size());
    std::ranges::copy(bytes, all.begin() + static_cast<std::ptrdiff_t>(offset));
    ++writes;
  }

  std::vector<float> FloatsOf(const Product& product, std::size_t count) const {
    std::vector<float> values(count);
    const std::size_t size = count * Info(product.dtype).bits / 8;
    Decode(product.dtype, std::span(files.at(product.file)).subspan(product.offset, size),
           std::span<float>(values));
    return values;
  }

  std::map<std::uint32_t, std::vector<std::byte>> files;
  int writes = 0;
};

template <class T>
Digest DigestOf(const std::vector<T>& values) {
  return Xxh3(std::as_bytes(std::span(values)));
}

class WorkerTest : public ::testing::Test {
 protected:
  /// x of two F32 models, blended half and half.
  Plan Half(const std::vector<double>& a, const std::vector<double>& b) {
    const NodeId first = maker_.Add("a", DType::kF32, {{"x", a}});
    const NodeId second = maker_.Add("b", DType::kF32, {{"x", b}});
    return maker_.MakePlanOf(maker_.Step("mix", "weighted_sum", {first, second}, {0.5}));
  }

  /// One output for each weight of b.
  Plan PlanOfMany(std::size_t elements, const std::vector<double>& weights) {
    std::vector<double> b(elements);
    for (std::size_t i = 0; i < elements; ++i) b[i] = static_cast<double>(1 + i % 1000);
    const NodeId first = maker_.Add("a", DType::kF32, {{"x", std::vector<double>(elements, 0)}});
    const NodeId second = maker_.Add("b", DType::kF32, {{"x", b}});
    std::vector<OutputSpec> outputs;
    for (const double weight : weights) {
      OutputSpec& output = outputs.emplace_back();
      output.root = maker_.Step("mix" + std::to_string(outputs.size()), "weighted_sum",
                                {first, second}, {weight});
      output.path = maker_.scratch / (std::to_string(outputs.size()) + ".safetensors");
    }
    return MakePlan(maker_.expression, outputs);
  }

  ModelMaker maker_;
};

TEST_F(WorkerTest, TellsWhatAChunkIsAndDid) {
  const Plan plan = Half({1, 2, 3, 4}, {1, 2, 5, 8});
  WorkerContext context(plan, plan.files);
  Worker worker(context);
  const ChunkResult result = worker.Compute({0, 0, 4}, {});
  EXPECT_EQ(result.chunk, (Chunk{0, 0, 4}));
  EXPECT_EQ(result.bytes_read, 2 * 16U);
  EXPECT_EQ(result.bytes_written, 16U);
  EXPECT_EQ(result.non_finite, 0U);
  EXPECT_THAT(result.source_blocks, ElementsAre(ElementsAre(DigestOf<float>({1, 2, 3, 4})),
                                                ElementsAre(DigestOf<float>({1, 2, 5, 8}))));
  EXPECT_THAT(result.product_blocks, ElementsAre(ElementsAre(DigestOf<float>({1, 2, 4, 6}))));
  ASSERT_EQ(result.effects.size(), 1U);
  EXPECT_EQ(result.effects[0].elements, 4U);
  EXPECT_EQ(result.effects[0].changed, 2U);
  EXPECT_EQ(result.effects[0].change_squares, 1 + 4);
  EXPECT_EQ(result.effects[0].before_squares, 1 + 4 + 9 + 16);
  EXPECT_THAT(result.slice.bytes, IsEmpty());  // there is nobody to write it
}

TEST_F(WorkerTest, LeavesOutWhatIsNotAskedFor) {
  const Plan plan = Half({1, 2}, {3, 4});
  WorkerContext context(plan, plan.files);
  Worker worker(context);
  const ChunkResult result = worker.Compute({0, 0, 2}, {.digests = false, .effects = false});
  EXPECT_THAT(result.source_blocks, IsEmpty());
  EXPECT_THAT(result.product_blocks, IsEmpty());
  ASSERT_EQ(result.effects.size(), 1U);
  EXPECT_EQ(result.effects[0].elements, 0U);
}

TEST_F(WorkerTest, ComputesARangeInsideOfATask) {
  std::vector<double> a(2048, 0);
  std::vector<double> b(2048);
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<double>(2 * i);
  const Plan plan = Half(a, b);
  WorkerContext context(plan, plan.files);
  Worker worker(context);
  Kept kept;
  ChunkWriter writer(context, kept);
  ChunkResult result = worker.Compute({0, 1024, 3}, {.writer = &writer});
  EXPECT_EQ(result.slice.first, 1024U);
  EXPECT_EQ(result.bytes_written, 12U);
  writer.Write(std::move(result.slice));
  const Product& product = plan.tasks[0].products[0];
  const std::vector<float> values = kept.FloatsOf(product, 1027);
  EXPECT_THAT(std::vector<float>(values.begin() + 1024, values.end()),
              ElementsAre(1024, 1025, 1026));
}

TEST_F(WorkerTest, WritesOneSliceOfFewProducts) {
  const Plan plan = PlanOfMany(200'000, {1.0 / 8, 2.0 / 8});
  WorkerContext context(plan, plan.files);
  Worker worker(context);
  Kept kept;
  ChunkWriter writer(context, kept);
  ChunkResult result = worker.Compute(ChunkOf(plan, 0, 0), {.writer = &writer});
  EXPECT_EQ(kept.writes, 0);  // whoever may write does
  EXPECT_EQ(result.slice.bytes[1].bytes().size(), 200'000 * 4U);
}

TEST_F(WorkerTest, WritesManyProductsInSlicesAndHoldsSomeMegabytesOfThem) {
  constexpr std::size_t kElements = 100'000;
  std::vector<double> weights;
  for (int i = 1; i <= 64; ++i) weights.push_back(i / 65.0);
  const Plan plan = PlanOfMany(kElements, weights);
  const Task& task = plan.tasks[0];
  ASSERT_EQ(SliceUnits(task), kPiece);
  WorkerContext context(plan, plan.files);
  Worker worker(context);
  const ChunkResult unwritten = worker.Compute(ChunkOf(plan, 0, 0), {});
  Kept kept;
  ChunkWriter writer(context, kept);
  ChunkResult result = worker.Compute(ChunkOf(plan, 0, 0), {.writer = &writer});
  EXPECT_EQ(kept.writes, 3 * 64);
  EXPECT_EQ(result.slice.first, 3 * kPiece);
  EXPECT_EQ(result.bytes_written, 64 * kElements * 4);
  EXPECT_EQ(result.product_blocks, unwritten.product_blocks);
  writer.Write(std::move(result.slice));
  for (std::size_t p = 0; p < task.products.size(); ++p) {
    const std::vector<float> values = kept.FloatsOf(task.products[p], kElements);
    EXPECT_THAT(result.product_blocks[p], ElementsAre(DigestOf(values))) << p;
    const std::size_t last = kElements - 1;
    EXPECT_EQ(values[last], static_cast<float>(weights[p]) * static_cast<float>(1 + last % 1000))
        << p;
  }
}

TEST_F(WorkerTest, CountsAllOfAChunkWhereAResultIsNotFinite) {
  maker_.expression.policies.non_finite = NonFinitePolicy::kError;
  std::vector<double> large(10, 60'000);
  const NodeId a = maker_.Add("a", DType::kF16, {{"x", large}});
  const NodeId b = maker_.Add("b", DType::kF16, {{"x", large}});
  Node sum;
  sum.name = "sum";
  sum.op = FindOperator("linear");
  sum.list = {a, b};
  sum.weights = {Weights(1.0), Weights(1.0)};
  sum.parameters = {Weights(0.0)};
  maker_.expression.nodes.push_back(sum);
  const Plan plan = maker_.MakePlanOf(2);
  WorkerContext context(plan, plan.files);
  Worker worker(context);
  EXPECT_EQ(worker.Compute({0, 0, 10}, {}).non_finite, 10U);  // what is not stored does no harm
  Kept kept;
  ChunkWriter writer(context, kept);
  try {
    worker.Compute({0, 0, 10}, {.writer = &writer});
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMismatch);
    EXPECT_THAT(error.message(), HasSubstr("'x': 10 values"));
  }
  EXPECT_EQ(kept.writes, 0);
}

}  // namespace
}  // namespace weightsmith::internal
