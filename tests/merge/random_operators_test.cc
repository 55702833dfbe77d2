// What operators that draw random numbers write down; what they compute is compared with numpy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "merge/operator.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::array<std::string_view, 4> kDropping = {"dare_linear", "dare_ties", "della",
                                                       "della_linear"};

/// A step over the base and a list of models, which are the sources of a tape in this order.
struct Step {
  const Operator& op;
  std::map<std::string_view, double> numbers{};
  std::vector<double> weights{};
  std::vector<double> densities{};  ///< of entries of their own; NaN: none

  template <class Use>
  auto With(const Use& use) const {
    std::vector<double> parameters;
    for (const ParameterSpec& spec : op.parameters) {
      const auto given = numbers.find(spec.name);
      parameters.push_back(given != numbers.end() ? given->second
                                                  : spec.default_value.value_or(std::nan("")));
    }
    const std::vector<const ParameterSpec*> specs = EntryNumbers(op);
    std::vector<double> entries;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      for (const ParameterSpec* spec : specs) {
        const bool own = spec->name == "density" && i < densities.size();
        entries.push_back(own ? densities[i] : std::nan(""));
      }
    }
    std::vector<Value> all;
    for (std::size_t r = 0; r <= weights.size(); ++r) {
      all.push_back(Value::Of(static_cast<Register>(r)));
    }
    const std::span<const Value> values = all;
    return use(Arguments{values.first(1), values.subspan(1), weights,
                         ParameterValues(op.parameters, parameters), EntryValues(specs, entries),
                         Shape{4, 6}});
  }

  Value Lower(Lowering& tape) const {
    return With([&](const Arguments& given) { return op.lower(tape, given); });
  }
  std::string Problem() const {
    return With([&](const Arguments& given) { return op.check_tensor(given); });
  }
  Lowering::Finished Finished() const {
    Lowering tape(Precision::kF32, static_cast<Register>(weights.size() + 1), "w");
    const Value result = Lower(tape);
    return std::move(tape).Finish(std::array{result});
  }
};

const Operator& Find(std::string_view name) {
  return *FindOperator(name);
}

/// Of the tape that stores and the passes before it.
std::vector<RandomStream> StreamsOf(const Lowering::Finished& program) {
  std::vector<RandomStream> streams;
  for (const Instruction& instruction : program.tape.instructions) {
    if (instruction.code == OpCode::kUniform || instruction.code == OpCode::kNormal) {
      streams.push_back(instruction.stream);
    }
  }
  return streams;
}

TEST(RandomOperators, DrawForTheirEntryOfTheList) {
  for (const std::string_view name : kDropping) {
    const Step step{Find(name), {{"density", 0.5}, {"epsilon", 0.1}, {"seed", 9}}, {1, 1}};
    EXPECT_THAT(StreamsOf(step.Finished()),
                ElementsAre(StreamOf(9, name, 0, "w"), StreamOf(9, name, 1, "w")))
        << name;
  }
}

TEST(RandomOperators, KeepTheNumbersOfAnEntryBehindOneThatCountsForNothing) {
  for (const std::string_view name : kDropping) {
    const Step step{Find(name), {{"density", 0.5}, {"seed", 9}}, {0, 1}};
    const Lowering::Finished program = step.Finished();
    EXPECT_THAT(StreamsOf(program), ElementsAre(StreamOf(9, name, 1, "w"))) << name;
    EXPECT_THAT(program.sources, ElementsAre(0, 2)) << name;
  }
}

TEST(RandomOperators, DrawNothingWhereAllOrNothingIsKept) {
  for (const std::string_view name : kDropping) {
    Lowering tape(Precision::kF32, 2, "w");
    EXPECT_EQ((Step{Find(name), {{"density", 0}}, {1}}).Lower(tape), Value::Of(0)) << name;
    const Step all{Find(name), {{"density", 1}}, {1}};
    EXPECT_THAT(StreamsOf(all.Finished()), IsEmpty()) << name;
    EXPECT_THAT(all.Finished().passes, IsEmpty()) << name;
  }
}

TEST(RandomOperators, TakeTheDensityOfAnEntry) {
  for (const std::string_view name : kDropping) {
    const Step step{Find(name), {{"density", 1}, {"seed", 2}}, {1, 1}, {std::nan(""), 0.5}};
    EXPECT_THAT(StreamsOf(step.Finished()), ElementsAre(StreamOf(2, name, 1, "w"))) << name;
  }
}

TEST(RandomOperators, RankOnlyWhereChancesDiffer) {
  const Step step{Find("della"), {{"density", 0.5}, {"epsilon", 0}}, {1}};
  EXPECT_THAT(step.Finished().rows, IsEmpty());
  const Step ranked{Find("della"), {{"density", 0.5}, {"epsilon", 0.1}}, {1}};
  EXPECT_THAT(ranked.Finished().rows, SizeIs(1));
  EXPECT_THAT(ranked.Finished().passes, IsEmpty());
}

TEST(RandomOperators, RefuseChancesThatAreNone) {
  for (const std::string_view name : {"della", "della_linear"}) {
    const auto problem = [&](double density, double epsilon) {
      return Step{
          Find(name), {{"density", 0.5}, {"epsilon", epsilon}}, {1, 1}, {std::nan(""), density}}
          .Problem();
    };
    EXPECT_EQ(problem(0.9, 0.1), "");
    EXPECT_EQ(problem(0.1, 0.1), "");
    EXPECT_EQ(problem(1, 0.4), "");
    EXPECT_EQ(problem(0, 0.4), "");
    EXPECT_THAT(problem(0.05, 0.1), HasSubstr("of[2]"));
    EXPECT_THAT(problem(0.95, 0.1), HasSubstr("between 0 and 1"));
  }
}

TEST(RandomOperators, DropoutDrawsOnceWhereModelsAreDrawnTogether) {
  const Step together{Find("dropout"), {{"overlap", 0.5}, {"seed", 4}}, {1, 1, 1}};
  EXPECT_THAT(StreamsOf(together.Finished()), ElementsAre(StreamOf(4, "dropout", 0, "w")));
  const Step alone{Find("dropout"), {{"overlap", 1}, {"seed", 4}}, {1, 1, 1}};
  EXPECT_EQ(StreamsOf(alone.Finished()).size(), 3u);
}

TEST(RandomOperators, DropoutTakesEightModelsTogether) {
  const auto problem = [](std::size_t models, double overlap) {
    return Find("dropout").check(
        {.list = models, .parameters = {}, .numbers = {{"overlap", overlap}}});
  };
  EXPECT_EQ(problem(8, 0.5), "");
  EXPECT_EQ(problem(9, 1), "");
  EXPECT_THAT(problem(9, 0.5), HasSubstr("more than 8"));
  EXPECT_THAT(problem(0, 1), HasSubstr("empty"));
}

TEST(RandomOperators, DropoutOfEverythingIsTheBase) {
  Lowering tape(Precision::kF32, 3, "w");
  EXPECT_EQ((Step{Find("dropout"), {{"probability", 1}}, {1, 1}}).Lower(tape), Value::Of(0));
}

TEST(RandomOperators, NoiseOfNoStrengthIsNone) {
  Lowering tape(Precision::kF32, 1, "w");
  EXPECT_EQ((Step{Find("noise"), {{"strength", 0}}}).Lower(tape), Value::Of(0));
  const Step noise{Find("noise"), {{"strength", 0.1}, {"seed", 5}}};
  EXPECT_THAT(StreamsOf(noise.Finished()), ElementsAre(StreamOf(5, "noise", 0, "w")));
  EXPECT_EQ(noise.Finished().passes.size(), 2u);
  EXPECT_THAT((Step{Find("noise"), {{"strength", 0.1}, {"unit", 1}}}).Finished().passes, IsEmpty());
}

TEST(RandomOperators, HaveASeedThatTheyMayShare) {
  std::set<std::string_view> seeded;
  for (const Operator* op : Operators()) {
    const auto has = [&](std::string_view name) {
      return std::ranges::find(op->parameters, name, &ParameterSpec::name) != op->parameters.end();
    };
    EXPECT_EQ(has("seed"), has("seed_shared")) << op->name;
    if (has("seed")) seeded.insert(op->name);
  }
  for (const std::string_view name : kDropping) EXPECT_TRUE(seeded.contains(name)) << name;
  EXPECT_TRUE(seeded.contains("dropout") && seeded.contains("noise"));
}

}  // namespace
}  // namespace weightsmith::internal
