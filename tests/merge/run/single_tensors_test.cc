#include "merge/run/single_tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "core/tensor/codec.h"
#include "merge/run/executor.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<float> FloatsOf(const Checkpoint& checkpoint, const std::string& name) {
  const CheckpointTensor& tensor = *checkpoint.Find(name);
  std::vector<float> values(tensor.info.elements());
  Decode(tensor.info.dtype, checkpoint.Read(tensor), std::span<float>(values));
  return values;
}

void Nothing() {}

// Three tensors of two models, blended half and half; "v" alone has an effect.
class SingleTensorsTest : public ::testing::Test {
 protected:
  SingleTensorsTest() {
    const Tensors a{{"none", {}}, {"v", {1, 2}}, {"w", {1, 2, 3, 4}}};
    const Tensors b{{"none", {}}, {"v", {3, 4}}, {"w", {1, 2, 3, 4}}};
    const std::vector<NodeId> models{maker_.Add("a", DType::kF32, a),
                                     maker_.Add("b", DType::kF16, b)};
    plan_ = maker_.MakePlanOf(maker_.Step("mix", "weighted_sum", models, {0.5}));
  }

  ModelMaker maker_;
  Plan plan_;
};

TEST_F(SingleTensorsTest, ComputesEachByItself) {
  SingleTensors single(plan_);
  const auto v = single.Compute("v", Nothing);
  ASSERT_EQ(v->tensors().size(), 1U);
  EXPECT_THAT(FloatsOf(*v, "v"), ElementsAre(2, 3));
  EXPECT_THAT(FloatsOf(*single.Compute("w", Nothing), "w"), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(FloatsOf(*single.Compute("none", Nothing), "none"), ElementsAre());
  EXPECT_THAT(FloatsOf(*single.Compute("v", Nothing), "v"), ElementsAre(2, 3));
}

TEST_F(SingleTensorsTest, KnowsTheNamesThatThereAre) {
  SingleTensors single(plan_);
  try {
    single.Compute("nome", Nothing);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMismatch);
    EXPECT_THAT(error.message(), HasSubstr("Did you mean 'none'?"));
  }
}

TEST_F(SingleTensorsTest, StopsWhereItIsAskedToAndGoesOnLater) {
  SingleTensors single(plan_);
  EXPECT_THROW(single.Compute("v", [] { throw std::string("enough"); }), std::string);
  EXPECT_THAT(FloatsOf(*single.Compute("w", Nothing), "w"), ElementsAre(1, 2, 3, 4));
}

TEST_F(SingleTensorsTest, ThreadsShareIt) {
  SingleTensors single(plan_);
  std::vector<std::vector<float>> found(4);
  {
    std::vector<std::jthread> threads;
    for (auto& values : found) {
      threads.emplace_back([&] { values = FloatsOf(*single.Compute("v", Nothing), "v"); });
    }
  }
  for (const auto& values : found) EXPECT_THAT(values, ElementsAre(2, 3));
}

TEST_F(SingleTensorsTest, SeesThatAFileHasChanged) {
  SingleTensors single(plan_);
  maker_.Write("b", DType::kF16, {{"other", {1}}});
  EXPECT_THROW(single.Compute("v", Nothing), Error);
}

}  // namespace
}  // namespace weightsmith::internal
