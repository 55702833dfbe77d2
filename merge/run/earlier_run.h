// What an earlier run of the same plan left: how much of it is done, and its end where it was
// killed while its outputs got their names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/io/byte_source.h"
#include "core/io/output_file.h"
#include "merge/plan/plan.h"
#include "merge/run/executor.h"
#include "merge/run/journal.h"
#include "merge/run/report.h"

namespace weightsmith::internal {

/// Whether what a run leaves can be gone on from: without digests nothing says whether a partial
/// output is what was written.
bool CanGoOn(const RunOptions& options);

/// Whether the journal is believed without reading the partial outputs back.
bool Trusted(const Journal& journal, const RunOptions& options);

/// Partial outputs as something to be read, from the disk; they have to outlive what is returned.
std::vector<std::shared_ptr<const ByteSource>> ReadersOf(const std::vector<OutputFile>& files);

/// How an output file of a plan is written.
OutputOptions OptionsOf(const Plan& plan, const OutputFilePlan& file, const RunOptions& options);

/// By output file: whether it is in place already, of the same run, which was killed while its
/// outputs got their names. Empty where no run was. Throws kUsage where something stands in the
/// journal's place.
std::vector<bool> OutputsInPlace(const Plan& plan, const RunOptions& options);

/// What a run would go on from.
struct Resumption {
  std::size_t tasks = 0;              ///< that are finished
  std::uint64_t bytes_to_verify = 0;  ///< of partial outputs, that are read back
};
/// Nothing where a run would start from the beginning. Changes nothing.
std::optional<Resumption> FindResumption(const Plan& plan, const RunOptions& options);

/// Tasks of the plan that no journal of the run has.
std::size_t TasksLeft(const Plan& plan, const RunOptions& options);

/// Ends the commit of the same run that was killed while its outputs got their names; nothing where
/// there is none, or where its outputs are not as it left them.
std::optional<Report> FinishCommit(const Plan& plan, const RunOptions& options);

}  // namespace weightsmith::internal
