// What jobs found, as JSON before it is text: by the tables of fields (record-inl.h). Strings have
// their bytes, also where they are no UTF-8.
#pragma once

#include <vector>

#include "core/base/error.h"
#include "core/base/json-inl.h"
#include "core/formats/torch/scan_path.h"
#include "merge/plan/plan.h"
#include "merge/run/executor.h"
#include "merge/run/report.h"
#include "recipes/jobs/checkpoint_info.h"
#include "recipes/jobs/verify.h"

namespace weightsmith::internal {

Json InfoValue(const CheckpointInfo& info, bool tensors);
Json PlanValue(const Plan& plan, const RunOptions& options, const Report* sample = nullptr);
Json ReportValue(const Plan& plan, const Report& report);
Json ScanValue(const std::vector<ScannedFile>& files);
/// `error`: what ended it; null: nothing did.
Json VerificationValue(const Verification& found, const Error* error);

}  // namespace weightsmith::internal
