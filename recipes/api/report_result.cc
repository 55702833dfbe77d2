#include "recipes/api/report_result.h"

#include "recipes/api/from_json-inl.h"
#include "recipes/api/members/report-inl.h"
#include "recipes/jobs/result_values-inl.h"

namespace weightsmith::internal {

weightsmith::Report ReportResultOf(const PreparedPlan& prepared, const Report& report) {
  auto result = FromJson<weightsmith::Report>::Read(ReportValue(prepared.plan(), report));
  result.notes.insert(result.notes.begin(), prepared.notes().begin(), prepared.notes().end());
  result.warnings.insert(result.warnings.begin(), prepared.warnings().begin(),
                         prepared.warnings().end());
  return result;
}

}  // namespace weightsmith::internal
