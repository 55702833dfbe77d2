// The partial outputs and the journal of a run: opened together before any is changed, gone on from
// where they are of this run, renamed together at the end, else kept or removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/io/output_file.h"
#include "merge/plan/plan.h"
#include "merge/run/executor.h"
#include "merge/run/journal.h"
#include "merge/run/report.h"

namespace weightsmith::internal {

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
/// Nothing where a run would start anew. Changes nothing.
std::optional<Resumption> FindResumption(const Plan& plan, const RunOptions& options);

class RunOutputs {
 public:
  /// Opens and locks every partial; goes on with them where journal, partials and plan are of one
  /// run and hold what the journal says, else invalidates the journal and starts them anew. After
  /// an error they are as they were found, or gone.
  RunOutputs(const Plan& plan, const RunOptions& options);

  std::vector<OutputFile>& files() { return files_; }
  /// Null where the run cannot be gone on from.
  Journal* journal() { return kept_ ? &*journal_ : nullptr; }
  /// Whether an earlier run's work is gone on from.
  bool resumed() const { return resumed_; }

  /// True headers, then every output under its name, and what belongs beside them. Once the
  /// renaming has begun, an error keeps everything for the same run to end it.
  void Commit(const Report& report);
  bool committing() const { return committing_; }

  /// Removes what is not under its final name.
  void Discard();

 private:
  std::size_t CountReusable();
  void Start();
  void Note(const std::string& line) const;

  const Plan* plan_;
  const RunOptions* options_;
  bool kept_;
  std::optional<Journal> journal_;
  std::vector<OutputFile> files_;
  bool resumed_ = false;
  bool committing_ = false;
};

/// Ends the commit of the same run that was killed while its outputs got their names; nothing where
/// there is none, or where its outputs are not as it left them.
std::optional<Report> FinishCommit(const Plan& plan, const RunOptions& options);

}  // namespace weightsmith::internal
