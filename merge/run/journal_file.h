// One journal: a text file beside the first partial output.
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

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/io/byte_source.h"
#include "merge/plan/plan.h"
#include "merge/run/run_fingerprint.h"
#include "merge/run/task_result.h"

namespace weightsmith::internal {

/// A journal as it was found.
struct JournalFile {
  std::filesystem::path path;
  std::string run{};
  std::string boot{};
  bool ours = false;         ///< of this run
  std::string difference{};  ///< why it is not, in words
  /// In the order in which they were finished, each once.
  std::vector<FinishedTask> finished{};
  std::vector<std::uint64_t> ends{};  ///< of the heading and of every task's line, in bytes
  /// The files that the outputs were, once their renaming began; else empty.
  std::vector<FileIdentity> committed{};
};

/// Nothing where there is no file. Throws kUsage for something that is no journal.
std::optional<JournalFile> ReadJournalFile(const std::filesystem::path& path, const Plan& plan,
                                           const RunFingerprint& now);

std::string JournalHeading(const std::string& run, const std::string& boot,
                           const RunFingerprint& now);
std::string JournalLine(std::size_t task, const TaskResult& result);
std::string CommitLine(const std::vector<FileIdentity>& files);

/// Whether a journal is at `path`, of whatever run; an empty file was made and not yet written.
bool IsJournal(const std::filesystem::path& path);

/// Removes the journal at `path`, durably where `sync` is set, so that no partial is taken for what
/// it was. A file that is no journal stays. Throws kFailed where it cannot be removed.
void RemoveJournal(const std::filesystem::path& path, bool sync);

}  // namespace weightsmith::internal
