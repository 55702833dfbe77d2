// Results of the public API have the fields that commands print as JSON, all of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "recipes/api/from_json-inl.h"
#include "recipes/api/members/info-inl.h"
#include "recipes/api/members/report-inl.h"
#include "recipes/api/members/scan-inl.h"
#include "recipes/api/members/verify-inl.h"
#include "recipes/jobs/checkpoint_info_json.h"
#include "recipes/jobs/plan_json.h"
#include "recipes/jobs/report_json.h"
#include "recipes/jobs/scan_json.h"
#include "recipes/jobs/verification_json.h"

namespace weightsmith::internal {
namespace {

using Names = std::set<std::string>;

template <class T>
Names NamesOf() {
  Names names;
  T value;
  VisitMembers(value, [&names](std::string_view name, const auto&) { names.emplace(name); });
  return names;
}

/// Adds the fields of every object in the schema, by its title.
void AddFields(const Json& schema, std::map<std::string, Names>& fields) {
  if (schema.contains("title") && schema.contains("properties")) {
    Names& names = fields[schema["title"].get<std::string>()];
    for (const auto& [name, value] : schema["properties"].items()) names.insert(name);
  }
  for (const auto& [name, value] : schema.items()) {
    if (value.is_structured()) AddFields(value, fields);
  }
}

TEST(Members, OfEveryResultAreThoseOfItsSchema) {
  std::map<std::string, Names> fields;
  for (const std::string& schema :
       {InfoSchema(), PlanSchema(), ReportSchema(), ScanSchema(), VerificationSchema()}) {
    AddFields(ParseJson(schema), fields);
  }
  const std::map<std::string, Names> members = {
      {"AdapterResult", NamesOf<weightsmith::AdapterResult>()},
      {"AdapterSummary", NamesOf<weightsmith::AdapterSummary>()},
      {"AppliedModule", NamesOf<weightsmith::AppliedModule>()},
      {"ComponentInfo", NamesOf<weightsmith::ComponentInfo>()},
      {"ComponentResult", NamesOf<weightsmith::ComponentResult>()},
      {"DiskNeed", NamesOf<weightsmith::DiskNeed>()},
      {"Distilled", NamesOf<weightsmith::Distilled>()},
      {"Effect", NamesOf<weightsmith::Effect>()},
      {"Finding", NamesOf<weightsmith::Finding>()},
      {"Info", NamesOf<weightsmith::CheckpointInfo>()},
      {"InputReport", NamesOf<weightsmith::InputReport>()},
      {"ModelKeys", NamesOf<weightsmith::ModelKeys>()},
      {"ModulesElsewhere", NamesOf<weightsmith::ModulesElsewhere>()},
      {"ModulesLeftOut", NamesOf<weightsmith::ModulesLeftOut>()},
      {"OutputReport", NamesOf<weightsmith::OutputReport>()},
      {"Plan", NamesOf<weightsmith::Plan>()},
      {"PlannedFile", NamesOf<weightsmith::PlannedFile>()},
      {"PlannedModel", NamesOf<weightsmith::PlannedModel>()},
      {"PlannedOutput", NamesOf<weightsmith::PlannedOutput>()},
      {"PlannedPart", NamesOf<weightsmith::PlannedPart>()},
      {"PlannedStep", NamesOf<weightsmith::PlannedStep>()},
      {"Report", NamesOf<weightsmith::Report>()},
      {"Resumption", NamesOf<weightsmith::Resumption>()},
      {"RowRange", NamesOf<weightsmith::RowRange>()},
      {"ScanResult", NamesOf<weightsmith::ScanResult>()},
      {"ScannedGlobal", NamesOf<weightsmith::ScannedGlobal>()},
      {"StepReport", NamesOf<weightsmith::StepReport>()},
      {"TensorFinding", NamesOf<weightsmith::TensorFinding>()},
      {"TensorInfo", NamesOf<weightsmith::TensorEntry>()},
      {"TensorReport", NamesOf<weightsmith::TensorReport>()},
      {"Verification", NamesOf<weightsmith::Verification>()},
  };
  EXPECT_EQ(members, fields);
}

/// Every member holds the number of its field.
TEST(Members, HaveTheValuesOfTheirFields) {
  weightsmith::Report report;
  Json json = Json::object();
  double next = 1;
  VisitMembers(report, [&]<class T>(std::string_view name, const T&) {
    if constexpr (std::is_arithmetic_v<T>) {
      json[std::string(name)] = std::is_same_v<T, bool> ? Json(true) : Json(static_cast<T>(next++));
    }
  });
  report = FromJson<weightsmith::Report>::Read(json);
  EXPECT_EQ(report.bytes_read, 1u);
  EXPECT_EQ(report.bytes_written, 2u);
  EXPECT_EQ(report.seconds, 3);
  EXPECT_EQ(report.sampled_share, 4);
  EXPECT_TRUE(report.sampled && report.resumed);
  const auto entry = FromJson<weightsmith::CheckpointInfo>::Read(ParseJson(R"({
      "dtypes": {"BF16": 3}, "distilled": null,
      "entries": [{"name": "w", "dtype": "F8_E4M3", "shape": [2, 3]}]})"));
  EXPECT_THAT(entry.dtypes, ::testing::ElementsAre(std::pair(DType::kBF16, 3)));
  EXPECT_FALSE(entry.distilled);
  EXPECT_EQ(entry.entries.at(0).dtype, DType::kF8E4M3);
  EXPECT_THAT(entry.entries.at(0).shape, ::testing::ElementsAre(2, 3));
}

}  // namespace
}  // namespace weightsmith::internal
