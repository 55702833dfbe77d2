#include "cli/everyday_step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace weightsmith::internal {
namespace {

using ::testing::HasSubstr;

TEST(PlaceOfBase, IsThatOfTheOperandOfThatName) {
  EXPECT_EQ(PlaceOfBase(*FindOperator("ties")), 0u);
  try {
    PlaceOfBase(*FindOperator("add_difference"));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("add_difference has no base"));
    EXPECT_THAT(error.advice(), HasSubstr("a, b, c, in this order"));
  }
}

TEST(StepText, GivesEntriesTheirOwnNumbers) {
  // Whatever an entry may have of its own: a list of numbers is one for each.
  Operator op = *FindOperator("ties");
  for (ParameterSpec& parameter : op.parameters) parameter.by_entry = parameter.name == "density";
  const std::vector<std::string> models = {"d", "a", "b"};
  const std::vector<std::pair<std::string, std::string>> given = {{"weights", "0.6,0.4"},
                                                                  {"density", "0.3,0.5"}};
  EXPECT_EQ(StepText(op, models, given),
            "{op: ties, base: d, of: [{model: a, weight: 0.6, density: 0.3}, {model: b, weight: "
            "0.4, density: 0.5}]}");
  const std::vector<std::pair<std::string, std::string>> three = {{"density", "0.3,0.5,0.7"}};
  EXPECT_THROW(StepText(op, models, three), Error);
}

TEST(StepText, HasAnOptionalBaseWhereOneIsNamed) {
  Operator op = *FindOperator("ties");
  op.operands[0].optional = true;
  op.parameters.clear();
  const std::vector<std::string> models = {"d", "a"};
  EXPECT_EQ(StepText(op, models, {}),
            "{op: ties, of: [{model: d, weight: 0.5}, {model: a, weight: 0.5}]}");
  EXPECT_EQ(StepText(op, models, {}, true), "{op: ties, base: d, of: [{model: a, weight: 1}]}");
}

TEST(StepText, GivesEntriesOfAStackTheirLayers) {
  const std::vector<std::string> models = {"a", "b"};
  const std::vector<std::pair<std::string, std::string>> given = {{"layers", "0-15,8-31"}};
  EXPECT_EQ(StepText(*FindOperator("stack"), models, given),
            "{op: stack, of: [{model: a, layers: \"0-15\"}, {model: b, layers: \"8-31\"}]}");
}

TEST(StepText, WritesEveryOperatorOfTheTable) {
  for (const Operator* op : Operators()) {
    if (op->list && op->list->adapters) continue;
    std::vector<std::string> models;
    for (std::size_t i = 0; i < RequiredOperands(*op) + (op->list ? 2 : 0); ++i) {
      models.push_back("m" + std::to_string(i));
    }
    const std::string step = StepText(*op, models, {});
    for (const std::string& model : models) EXPECT_THAT(step, HasSubstr(model)) << op->name;
  }
}

}  // namespace
}  // namespace weightsmith::internal
