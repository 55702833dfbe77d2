#include "merge/adapters/adapter.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "merge/adapters/module_delta.h"
#include "tests/core/caught.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Written {
  std::string name;
  Shape shape;
  float value = 1;
};

class AdapterTest : public ::testing::Test {
 protected:
  /// A file of F32 tensors, each of one value.
  std::shared_ptr<const Checkpoint> Write(const std::vector<Written>& tensors) const {
    std::string json;
    std::string data;
    for (const Written& tensor : tensors) {
      const std::uint64_t elements = ElementCount(tensor.shape).value();
      std::string shape;
      for (const std::uint64_t axis : tensor.shape) {
        shape += fmt::format("{}{}", shape.empty() ? "" : ",", axis);
      }
      json += fmt::format(R"({}"{}":{{"dtype":"F32","shape":[{}],"data_offsets":[{},{}]}})",
                          json.empty() ? '{' : ',', tensor.name, shape, data.size(),
                          data.size() + 4 * elements);
      for (std::uint64_t i = 0; i < elements; ++i) {
        data.append(reinterpret_cast<const char*>(&tensor.value), 4);
      }
    }
    return Checkpoint::Open(scratch_.Make("a.safetensors", FileOf(json + "}", data)));
  }

  std::string ProblemOf(const std::vector<Written>& tensors) const {
    const Adapter adapter = ReadAdapter(*Write(tensors));
    return adapter.modules.empty() ? "no module" : adapter.modules.front().problem;
  }

  Scratch scratch_;
};

TEST_F(AdapterTest, FactorsThatDoNotFitEachOtherAreProblems) {
  EXPECT_THAT(ProblemOf({{"a.a1.weight", {4, 2}},
                         {"a.a2.weight", {2, 3}},
                         {"a.b1.weight", {4, 2}},
                         {"a.b2.weight", {2, 4}}}),
              HasSubstr("the width of a2 is 3, not 4"));
  for (const char* core : {"a.hada_t1", "a.hada_t2"}) {
    EXPECT_THAT(ProblemOf({{"a.hada_w1_a", {2, 2}},
                           {"a.hada_w1_b", {2, 2}},
                           {"a.hada_w2_a", {2, 2}},
                           {"a.hada_w2_b", {2, 2}},
                           {core, {2, 2, 3, 3}}}),
                HasSubstr("is LoHa and has hada_t"));
  }
  EXPECT_THAT(ProblemOf({{"a.lokr_w1", {2, 2}},
                         {"a.lokr_w1_a", {2, 1}},
                         {"a.lokr_w1_b", {1, 2}},
                         {"a.lokr_w2", {2, 2}}}),
              HasSubstr("the number of first matrices is 2, not 1"));
  EXPECT_THAT(ProblemOf({{"a.lokr_w1", {2, 2}}, {"a.lokr_w1_a", {2, 1}}, {"a.lokr_w2", {2, 2}}}),
              HasSubstr("is LoKr and has lokr_w1_a"));
  EXPECT_THAT(ProblemOf({{"a.lora_A.weight", {0, 4}}, {"a.lora_B.weight", {4, 0}}}),
              HasSubstr("without any element"));
  EXPECT_THAT(ProblemOf({{"a.lora_A.weight", {}}, {"a.lora_B.weight", {4, 1}}}),
              HasSubstr("rank 0"));
  EXPECT_THAT(ProblemOf({{"a.oft_R.weight", {2, 2}}}), HasSubstr("elements of a triangle"));
}

TEST_F(AdapterTest, NumbersThatScaleNothingAreProblems) {
  const std::vector<Written> pair = {{"a.lora_down.weight", {2, 4}}, {"a.lora_up.weight", {4, 2}}};
  const auto with = [&](const char* name, Shape shape, float value) {
    std::vector<Written> all = pair;
    all.push_back({name, std::move(shape), value});
    return ProblemOf(all);
  };
  EXPECT_THAT(with("a.alpha", {}, -3), IsEmpty());
  EXPECT_THAT(with("a.alpha", {3}, 1), HasSubstr("has alpha of shape [3], expected one number"));
  EXPECT_THAT(with("a.alpha", {}, INFINITY), HasSubstr("has alpha inf, expected a finite number"));
  EXPECT_THAT(with("a.scale", {}, NAN), HasSubstr("has scale nan, expected a finite number"));
  EXPECT_THAT(with("a.scale", {2}, 1), HasSubstr("has scale of shape [2], expected one number"));
  EXPECT_THAT(with("a.scalar", {}, NAN), HasSubstr("has scalar nan"));
  EXPECT_THAT(ProblemOf({{"a.oft_blocks", {1, 4, 4}}, {"a.alpha", {2}}}), HasSubstr("one number"));
}

TEST_F(AdapterTest, FactorsBesideASavedLayerChangeThatOne) {
  const auto checkpoint = Write({{"base_model.model.embed.base_layer.weight", {3, 2}, 5},
                                 {"base_model.model.embed.lora_embedding_A", {1, 3}, 2},
                                 {"base_model.model.embed.lora_embedding_B", {2, 1}, 0.25f}});
  const Adapter adapter = ReadAdapter(*checkpoint);
  ASSERT_THAT(adapter.modules, SizeIs(1));
  EXPECT_THAT(adapter.plain, IsEmpty());
  const AdapterModule& module = adapter.modules.front();
  EXPECT_THAT(module.problem, IsEmpty());
  EXPECT_TRUE(Replaces(module, AdapterTarget::kWeight));
  const AdapterValues values = ReadValues(*checkpoint, module, 0.5);
  std::vector<float> out(6);
  const std::vector<float> weight(6, 9.0f);
  MakeDelta(module, AdapterTarget::kWeight, values, {{3, 2}, {}})->Fill(0, out);
  EXPECT_THAT(out, ElementsAreArray({5.25f, 5.25f, 5.25f, 5.25f, 5.25f, 5.25f}));
  MakeDelta(module, AdapterTarget::kWeight, values, {{3, 2}, weight})
      ->Fill(2, std::span(out).first(2));
  EXPECT_EQ(out[0], 5.25f - 9);
}

TEST_F(AdapterTest, ASavedLayerIsOfEveryAdapterOfTheFileAndOfItsSize) {
  const Adapter adapter = ReadAdapter(*Write({{"e.base_layer.weight", {3, 2}},
                                              {"e.lora_embedding_A.one", {1, 3}},
                                              {"e.lora_embedding_B.one", {2, 1}},
                                              {"e.lora_embedding_A.two", {1, 3}},
                                              {"e.lora_embedding_B.two", {2, 1}}}));
  ASSERT_THAT(adapter.modules, SizeIs(2));
  EXPECT_THAT(adapter.plain, IsEmpty());
  EXPECT_TRUE(HasSaved(adapter.modules[1], AdapterTarget::kWeight));
  EXPECT_THAT(ProblemOf({{"e.base_layer.weight", {4, 2}},
                         {"e.lora_embedding_A", {1, 3}},
                         {"e.lora_embedding_B", {2, 1}}}),
              HasSubstr("the height of base_layer is 4, not 3"));
}

TEST_F(AdapterTest, ASavedLayerThatNothingChangesIsATensorByItself) {
  const Adapter adapter = ReadAdapter(*Write({{"q.lora_A.weight", {1, 2}},
                                              {"q.lora_B.weight", {2, 1}},
                                              {"q.base_layer.bias", {2}},
                                              {"head.base_layer.weight", {2, 2}}}));
  ASSERT_THAT(adapter.modules, SizeIs(1));
  EXPECT_THAT(adapter.modules.front().tensors, SizeIs(2));
  ASSERT_THAT(adapter.plain, SizeIs(2));
  EXPECT_EQ(adapter.plain[0].stem, "head.base_layer.weight");
  EXPECT_EQ(adapter.plain[1].stem, "q.base_layer.bias");
}

TEST_F(AdapterTest, LongNamesAreRead) {
  const std::string name = "text_encoder." + std::string(60'000, 'a') + ".q_proj";
  const Adapter adapter =
      ReadAdapter(*Write({{name + ".lora_A.weight", {1, 2}}, {name + ".lora_B.weight", {2, 1}}}));
  ASSERT_THAT(adapter.modules, SizeIs(1));
  EXPECT_EQ(adapter.modules.front().stem, name);
}

}  // namespace
}  // namespace weightsmith::internal
