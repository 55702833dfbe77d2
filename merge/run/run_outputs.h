// The partial outputs and the journal of a run: opened together before any is changed, gone on from
// where they are of this run, renamed together at the end, else kept or removed.
//
// The lock of the first partial says who has them. A run has it alone. Parts of one run share it
// while they compute; one that comes first, and the one that ends the run, has it alone for that
// time. A part sees that the run is complete when its own tasks are in its journal and it reads
// those of the others afterwards: of any two, the later one sees both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/io/file_lock.h"
#include "core/io/output_file.h"
#include "merge/plan/plan.h"
#include "merge/run/executor.h"
#include "merge/run/journal.h"
#include "merge/run/report.h"

namespace weightsmith::internal {

/// How the work on a part ends.
enum class PartEnd : std::uint8_t {
  kLeft,   ///< tasks are left to other parts
  kEnded,  ///< another part has ended the run
  kOurs,   ///< this one ends it, and has the outputs alone from here on
};

class RunOutputs {
 public:
  /// Opens and locks every partial; goes on with them where journal, partials and plan are of one
  /// run and hold what the journal says, else invalidates the journal and starts them anew. After
  /// an error they are as they were found, or gone.
  ///
  /// Parts of one run share them: the first one to come starts them, or takes them over, while it
  /// has them alone, others join. Throws kFailed where another process has them that is no part of
  /// the same division of the same run, or works on the same part.
  RunOutputs(const Plan& plan, const RunOptions& options);
  ~RunOutputs();
  RunOutputs(const RunOutputs&) = delete;
  RunOutputs& operator=(const RunOutputs&) = delete;

  std::vector<OutputFile>& files() { return files_; }
  /// Null where the run cannot be gone on from.
  Journal* journal() { return kept_ ? &*journal_ : nullptr; }
  /// Whether an earlier run's work is gone on from.
  bool resumed() const { return resumed_; }

  /// Of a part whose tasks are done. Where it ends the run, what other processes have done is in
  /// the journal from here on, as far as it is on disk as it was written. Throws kInterrupted while
  /// it waits for them.
  PartEnd EndPart();

  /// True headers, then every output under its name, and what belongs beside them. Once the
  /// renaming has begun, an error keeps everything for the same run to end it.
  void Commit(const Report& report);
  bool committing() const { return committing_; }

  /// Removes what is not under its final name; while others share it, what this part has done.
  void Discard();

 private:
  bool TryOpen(FileLock lock);
  void ExpectOwnPartials() const;
  std::optional<std::string> Obstacle();
  void KeepIntact(Journal::Which which);
  void OpenAlone();
  void Start();

  void OpenAsPart();
  void SetUp();
  void Join();
  bool Share();
  void KeepOwn();
  void WaitAlone();
  bool Cancelled() const;
  void Withdraw();

  void Note(const std::string& line) const;
  void Close();

  const Plan* plan_;
  const RunOptions* options_;
  bool kept_;
  std::optional<Journal> journal_;
  std::vector<OutputFile> files_;
  bool shared_ = false;  ///< with other parts
  bool resumed_ = false;
  bool committing_ = false;
};

}  // namespace weightsmith::internal
