// What an interrupted run has done: a text file beside the first partial output, so that the same
// run can go on from it.
//
//   weightsmith-journal-2 RUN BOOT PROGRAM PLAN INPUTS OUTPUTS CHECK
//   TASK NON_FINITE BYTES_READ BYTES_WRITTEN [DIGEST…] [EFFECT…] [FOUND…] CHECK   one each, in any
//   order commit [DEVICE INODE]… CHECK                                   the outputs are being
//   renamed
//
// RUN is random. Every partial of the run carries it in the place of its header: a journal belongs
// to those partials and to no others. The four digests after BOOT are the RunFingerprint. CHECK is
// the XXH3-128 of the line before it, so that a line that was cut off is not taken for a whole one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/io/byte_source.h"
#include "merge/plan/plan.h"
#include "merge/run/run_fingerprint.h"
#include "merge/run/task_result.h"

namespace weightsmith::internal {

class Journal {
 public:
  /// Where the journal of a plan is: OUTPUT.journal of its first output.
  static std::filesystem::path PathOf(const Plan& plan);

  /// Reads what is at `path`; changes nothing. Throws kUsage for something that is no journal.
  Journal(std::filesystem::path path, const Plan& plan, bool effects);
  ~Journal();
  Journal(Journal&&) noexcept;

  /// Whether a journal is there, of whatever run.
  bool exists() const;
  /// Whether it is of this run.
  bool ours() const;
  /// Why it is not, in words. REQUIRES: exists() and not ours().
  const std::string& difference() const;
  /// Whether the machine has run since the journal was begun, without a restart.
  bool same_boot() const;
  /// In the order in which they were finished, each once.
  const std::vector<FinishedTask>& finished() const;
  /// The files that the outputs were, once their renaming began; else empty.
  const std::vector<FileIdentity>& committed() const;

  /// What the partial output `file` starts with until its header is written.
  std::string StampOf(std::size_t file) const;
  /// What every stamp starts with.
  static std::string_view StampPrefix();

  /// Writes a new journal, of a new identity. REQUIRES: none is there.
  void Start();
  /// Opens the journal behind its first `tasks` lines of tasks; what follows them is cut off.
  void Continue(std::size_t tasks);
  /// Appends a task. Throws kResources where the disk is full, kFailed otherwise.
  void Append(std::uint32_t task, const TaskResult& result);
  /// From here on the outputs are what `files` are. Durable where `sync` is set.
  void BeginCommit(const std::vector<FileIdentity>& files, bool sync);
  /// Removes the file.
  void Remove();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whether a journal is at `path`, of whatever run; an empty file was made and not yet written.
bool IsJournal(const std::filesystem::path& path);

/// Removes the journal at `path`, durably where `sync` is set, so that no partial is taken for what
/// it was. A file that is no journal stays. Throws kFailed where it cannot be removed.
void RemoveJournal(const std::filesystem::path& path, bool sync);

}  // namespace weightsmith::internal
