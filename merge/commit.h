// The end of a run: true headers, indexes and config files in place, then every output under its
// name.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "core/io/output_file.h"
#include "merge/plan.h"
#include "merge/report.h"

namespace weightsmith {

/// Throws kUsage where an output is one of the inputs, whatever the spelling of its path.
void RefuseInputsAsOutputs(const Plan& plan);

/// Throws kUsage where one of the texts is there already and may not be replaced.
void ExpectReplaceable(std::span<const FileSet::Text> texts, const std::filesystem::path& folder,
                       bool overwrite);

/// Writes headers with the report's digests and commits the outputs, their shard index and the
/// files of OutputSpec::files_from.
void CommitOutputs(const Plan& plan, const Report& report, const OutputOptions& options,
                   std::vector<OutputFile>& files);

}  // namespace weightsmith
