#include "merge/run/touched_paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/core/caught.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Paths : public ::testing::Test {
 protected:
  Paths() {
    const NodeId a = maker_.Add("a", DType::kF16, {{"x", {1, 2, 3}}});
    const NodeId b = maker_.Add("b", DType::kF16, {{"x", {3, 2, 1}}});
    plan_ = maker_.MakePlanOf(maker_.Step("mix", "weighted_sum", {a, b}, {0.25}));
    force_.overwrite = true;
  }

  fs::path Put(const std::string& name) {
    const fs::path path = maker_.scratch / name;
    std::ofstream(path) << "precious";
    return path;
  }

  std::string Refusal(const RunOptions& options) {
    const Error error = Caught([&] { CheckPaths(plan_, options); });
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }

  ModelMaker maker_;
  Plan plan_;
  RunOptions force_;
};

TEST_F(Paths, AreAcceptedWhereNothingIsInTheWay) {
  CheckPaths(plan_, {});
  force_.report = maker_.scratch / "report.json";
  CheckPaths(plan_, force_);
}

TEST_F(Paths, OfTheReportAreNoneOfTheRun) {
  for (const char* name : {"a.safetensors", "b.safetensors"}) {
    force_.report = maker_.scratch / name;
    EXPECT_THAT(Refusal(force_), HasSubstr("the report '"));
    EXPECT_THAT(Refusal(force_), HasSubstr("is the input '"));
  }
  force_.report = maker_.Out();
  EXPECT_THAT(Refusal(force_), HasSubstr("is the output '"));
  force_.report = maker_.Out().string() + ".journal";
  EXPECT_THAT(Refusal(force_), HasSubstr("is the journal '"));
  force_.report = maker_.Out().string() + ".partial";
  EXPECT_THAT(Refusal(force_), HasSubstr("is the partial file of the output '"));
}

TEST_F(Paths, AreComparedByWhatTheyName) {
  fs::create_directory(maker_.scratch / "sub");
  fs::create_symlink(maker_.scratch / "a.safetensors", maker_.scratch / "link");
  fs::create_hard_link(maker_.scratch / "a.safetensors", maker_.scratch / "hard");
  fs::create_directory_symlink(maker_.scratch.folder(), maker_.scratch / "sub/again");
  for (const char* name : {"link", "hard", "sub/../a.safetensors", "sub/again/a.safetensors",
                           "sub/again/out.safetensors", "./sub/..//out.safetensors"}) {
    force_.report = maker_.scratch / name;
    EXPECT_THAT(Refusal(force_), HasSubstr("the report '")) << name;
  }
}

TEST_F(Paths, OfOutputsAreNoTextsThatWereRead) {
  plan_.texts_read.push_back({maker_.Out(), "recipe"});
  Put("out.safetensors");
  EXPECT_THAT(Refusal(force_), HasSubstr("the output '"));
  EXPECT_THAT(Refusal(force_), HasSubstr("is the recipe '"));
}

TEST_F(Paths, OfPartialsAndJournalsAreNoInputs) {
  for (const char* name : {"out.safetensors.partial", "out.safetensors.journal"}) {
    ModelMaker maker;
    const NodeId a = maker.Add("a", DType::kF16, {{"x", {1, 2, 3}}});
    fs::rename(maker.scratch / "a.safetensors", maker.scratch / name);
    const auto checkpoint = Checkpoint::Open(maker.scratch / name);
    maker.expression.models[0].parts[0] = {checkpoint, Examine(*checkpoint), std::nullopt};
    const NodeId b = maker.Add("b", DType::kF16, {{"x", {3, 2, 1}}});
    const Plan plan = maker.MakePlanOf(maker.Step("mix", "weighted_sum", {a, b}, {0.25}));
    const Error error = Caught([&] { CheckPaths(plan, {}); });
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("is the input '")) << name;
  }
}

TEST_F(Paths, ThatExistNeedLeaveToBeReplaced) {
  Put("out.safetensors");
  EXPECT_THAT(Refusal({}), HasSubstr("already exists"));
  CheckPaths(plan_, force_);
  fs::remove(maker_.Out());
  RunOptions options;
  options.report = Put("report.json");
  EXPECT_THAT(Refusal(options), HasSubstr("report.json' already exists"));
}

TEST_F(Paths, NeedTheirFolder) {
  RunOptions options;
  options.report = maker_.scratch / "none/report.json";
  EXPECT_THAT(Refusal(options), HasSubstr("does not exist"));
  options.make_folders = true;
  CheckPaths(plan_, options);
  Put("file");
  options.report = maker_.scratch / "file/report.json";
  EXPECT_THAT(Refusal(options), HasSubstr("is no folder"));
}

TEST_F(Paths, SayWhatALoopIs) {
  fs::create_symlink(maker_.scratch / "loop", maker_.scratch / "loop");
  RunOptions options;
  options.report = maker_.scratch / "loop/report.json";
  const Error error = Caught([&] { CheckPaths(plan_, options); });
  EXPECT_THAT(error.what(), HasSubstr("too many levels of symbolic links"));
}

}  // namespace
}  // namespace weightsmith::internal
