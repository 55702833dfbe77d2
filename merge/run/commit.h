// The end of a run: true headers, every output under its name, then indexes and configurations.
#pragma once

#include <vector>

#include "core/io/output_file.h"
#include "merge/plan/plan.h"
#include "merge/run/executor.h"
#include "merge/run/report.h"

namespace weightsmith::internal {

/// Whether one renaming ends the run: there is one output file, and nothing beside it.
bool EndsInOneStep(const Plan& plan);

/// Writes headers with the report's digests. `files` are parallel to Plan::output_files; null:
/// under its name already.
void WriteHeaders(const Plan& plan, const Report& report, const std::vector<OutputFile*>& files);

/// Waits until all is on disk. After an error nothing of the files can be trusted.
void SyncOutputs(const std::vector<OutputFile*>& files);

/// Renames the outputs and writes their shard index and configurations. May be repeated.
void PublishOutputs(const Plan& plan, const RunOptions& options,
                    const std::vector<OutputFile*>& files);

}  // namespace weightsmith::internal
