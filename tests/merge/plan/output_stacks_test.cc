// Stacks of layers, and steps on selected tensors, in plans.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "merge/plan/stack_index.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

/// Models of an embedding, numbered layers and a norm.
class OutputStacksTest : public ::testing::Test {
 protected:
  NodeId AddModel(const std::string& name, int layers, double first) {
    Tensors tensors{{"model.embed_tokens.weight", {first, first}},
                    {"model.norm.weight", {first + 1}}};
    maker_.shapes["model.embed_tokens.weight"] = {1, 2};
    for (int i = 0; i < layers; ++i) {
      tensors["model.layers." + std::to_string(i) + ".w"] = {first + 10 + i};
    }
    return maker_.Add(name, DType::kF32, tensors);
  }

  NodeId Stack(std::vector<std::pair<NodeId, std::optional<LayerRange>>> entries) {
    const NodeId id = maker_.Step("s", "stack", {entries.front().first, entries.back().first}, {});
    for (const auto& [node, layers] : entries) {
      maker_.expression.nodes[id].list.push_back(node);
      maker_.expression.nodes[id].layers.push_back(layers);
    }
    return id;
  }

  NodeId Within(NodeId model, NodeId apply, TensorFilter filter) {
    const NodeId id = maker_.Step("x", "within", {model, apply}, {});
    maker_.expression.nodes[id].where = {std::move(filter)};
    return id;
  }

  std::vector<std::pair<std::string, double>> Result(NodeId root) const {
    internal::Run(maker_.MakePlanOf(root), {.overwrite = true});
    std::vector<std::pair<std::string, double>> values;
    const auto file = Checkpoint::Open(maker_.Out());
    for (const CheckpointTensor& tensor : file->tensors()) {
      values.emplace_back(tensor.name, ModelMaker::ReadTensor(maker_.Out(), tensor.name).front());
    }
    return values;
  }

  std::string ErrorOf(NodeId root) const {
    try {
      maker_.MakePlanOf(root);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kMismatch);
      return std::string(error.what());
    }
    return {};
  }

  static Selector Place(std::string_view text) {
    std::string problem;
    return *Selector::Parse(text, problem);
  }

  ModelMaker maker_;
};

TEST_F(OutputStacksTest, LayersAreNumberedInTheirNewOrder) {
  const NodeId a = AddModel("a", 3, 100);
  const NodeId b = AddModel("b", 3, 200);
  EXPECT_THAT(
      Result(Stack({{a, LayerRange{0, 1}}, {b, LayerRange{1, 2}}})),
      UnorderedElementsAre(
          std::pair("model.embed_tokens.weight", 100.0), std::pair("model.layers.0.w", 110.0),
          std::pair("model.layers.1.w", 111.0), std::pair("model.layers.2.w", 211.0),
          std::pair("model.layers.3.w", 212.0), std::pair("model.norm.weight", 201.0)));
}

TEST_F(OutputStacksTest, ALayerThatComesTwiceIsReadOnce) {
  const NodeId a = AddModel("a", 2, 100);
  const NodeId stack = Stack({{a, std::nullopt}, {a, LayerRange{1, 1}}});
  const Plan plan = maker_.MakePlanOf(stack);
  EXPECT_EQ(plan.tasks.size(), 4u);
  EXPECT_EQ(plan.model_keys[0].used, 4u);
  EXPECT_THAT(Result(stack), UnorderedElementsAre(std::pair("model.embed_tokens.weight", 100.0),
                                                  std::pair("model.layers.0.w", 110.0),
                                                  std::pair("model.layers.1.w", 111.0),
                                                  std::pair("model.layers.2.w", 111.0),
                                                  std::pair("model.norm.weight", 101.0)));
}

TEST_F(OutputStacksTest, AnEntryMayBeAStep) {
  const NodeId a = AddModel("a", 2, 100);
  const NodeId b = AddModel("b", 2, 200);
  const NodeId mix = maker_.Step("mix", "weighted_sum", {a, b}, {0.5});
  EXPECT_THAT(Result(Stack({{a, LayerRange{0, 0}}, {mix, LayerRange{0, 1}}})),
              UnorderedElementsAre(
                  std::pair("model.embed_tokens.weight", 100.0),
                  std::pair("model.layers.0.w", 110.0), std::pair("model.layers.1.w", 160.0),
                  std::pair("model.layers.2.w", 161.0), std::pair("model.norm.weight", 151.0)));
}

TEST_F(OutputStacksTest, AStackIsStackedAgain) {
  const NodeId a = AddModel("a", 2, 100);
  const NodeId b = AddModel("b", 2, 200);
  const NodeId inner = Stack({{a, LayerRange{1, 1}}, {b, LayerRange{0, 0}}});
  EXPECT_THAT(Result(Stack({{inner, LayerRange{1, 1}}, {a, LayerRange{0, 0}}})),
              UnorderedElementsAre(std::pair("model.embed_tokens.weight", 100.0),
                                   std::pair("model.layers.0.w", 210.0),
                                   std::pair("model.layers.1.w", 110.0),
                                   std::pair("model.norm.weight", 101.0)));
}

TEST_F(OutputStacksTest, LayersThatAModelLacksAreTold) {
  const NodeId a = AddModel("a", 2, 100);
  EXPECT_THAT(ErrorOf(Stack({{a, LayerRange{0, 2}}})),
              HasSubstr("step 's': 'of[1]' takes layers 0-2, and 'a' has layers 0-1"));
  const NodeId none = maker_.Add("none", DType::kF32, {{"model.norm.weight", {1}}});
  EXPECT_THAT(ErrorOf(Stack({{a, std::nullopt}, {none, std::nullopt}})),
              HasSubstr("'of[2]': 'none' has no layers"));
}

TEST_F(OutputStacksTest, StacksOfStacksEndSomewhere) {
  NodeId stack = AddModel("a", 2, 100);
  for (int i = 0; i < 64; ++i) stack = Stack({{stack, std::nullopt}, {stack, std::nullopt}});
  EXPECT_THAT(ErrorOf(stack), HasSubstr("a stack has at most 9,999 layers"));
}

TEST_F(OutputStacksTest, WidthsMustBeEqual) {
  const NodeId a = AddModel("a", 1, 100);
  maker_.shapes["model.embed_tokens.weight"] = {1, 3};
  const NodeId wide = maker_.Add(
      "wide", DType::kF32, {{"model.embed_tokens.weight", {1, 2, 3}}, {"model.layers.0.w", {1}}});
  EXPECT_THAT(ErrorOf(Stack({{a, std::nullopt}, {wide, std::nullopt}})),
              HasSubstr("'a' is 2 wide and 'wide' 3"));
}

TEST_F(OutputStacksTest, AStackIsNoOperandOfAnotherStep) {
  const NodeId a = AddModel("a", 2, 100);
  const NodeId b = AddModel("b", 2, 200);
  const NodeId stack = Stack({{a, std::nullopt}});
  EXPECT_THAT(ErrorOf(maker_.Step("mix", "weighted_sum", {stack, b}, {0.5})),
              HasSubstr("step 'mix': 's' is a stack"));
}

TEST_F(OutputStacksTest, WithinTakesTheStepWhereItSelects) {
  const NodeId a = AddModel("a", 3, 100);
  const NodeId b = AddModel("b", 3, 200);
  const NodeId mix = maker_.Step("mix", "weighted_sum", {b, a}, {0.5});
  TensorFilter filter;
  filter.blocks = {Place("layer.1-2")};
  const NodeId within = Within(a, mix, filter);
  EXPECT_THAT(Result(within), UnorderedElementsAre(std::pair("model.embed_tokens.weight", 100.0),
                                                   std::pair("model.layers.0.w", 110.0),
                                                   std::pair("model.layers.1.w", 161.0),
                                                   std::pair("model.layers.2.w", 162.0),
                                                   std::pair("model.norm.weight", 101.0)));
  const Plan plan = maker_.MakePlanOf(within);
  EXPECT_EQ(plan.model_keys[0].used, 5u);
  EXPECT_EQ(plan.model_keys[1].used, 2u);
  for (const Task& task : plan.tasks) {
    const bool selected = task.name == "model.layers.1.w" || task.name == "model.layers.2.w";
    EXPECT_EQ(task.products[0].copy.has_value(), !selected) << task.name;
  }
}

TEST_F(OutputStacksTest, WithinSelectsByTheShapesOfItsModel) {
  const NodeId a = AddModel("a", 1, 100);
  const NodeId b = AddModel("b", 1, 200);
  TensorFilter filter;
  filter.ranks = {2};
  EXPECT_THAT(Result(Within(a, b, filter)),
              UnorderedElementsAre(std::pair("model.embed_tokens.weight", 200.0),
                                   std::pair("model.layers.0.w", 110.0),
                                   std::pair("model.norm.weight", 101.0)));
}

TEST_F(OutputStacksTest, WithinTakesNothingThatOnlyTheStepHas) {
  const NodeId a = AddModel("a", 1, 100);
  const NodeId b = AddModel("b", 3, 200);
  TensorFilter filter;
  filter.blocks = {Place("layer.0")};
  EXPECT_THAT(Result(Within(a, b, filter)),
              UnorderedElementsAre(std::pair("model.embed_tokens.weight", 100.0),
                                   std::pair("model.layers.0.w", 210.0),
                                   std::pair("model.norm.weight", 101.0)));
}

TEST_F(OutputStacksTest, WithinOfNothingIsAnError) {
  const NodeId a = AddModel("a", 1, 100);
  const NodeId b = AddModel("b", 1, 200);
  TensorFilter filter;
  filter.ranks = {4};
  EXPECT_THAT(ErrorOf(Within(a, b, filter)),
              HasSubstr("step 'x': 'where' selects no tensor of 'a'"));
  filter.ranks = {};
  filter.names = {Place("/attn9/")};
  EXPECT_THAT(ErrorOf(Within(a, b, filter)), HasSubstr("'where': no tensor is at '/attn9/'"));
}

}  // namespace
}  // namespace weightsmith::internal
