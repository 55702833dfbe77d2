// What interrupted runs, and the parts of a divided one, have done: a set of finished tasks, in
// journals beside the first partial output. A run has OUTPUT.journal, part i of N
// OUTPUT.i-of-N.journal: each process adds to its own, and reads all that are of one run. What is
// in none of them is computed. A task that is in several has the same result in each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/byte_source.h"
#include "merge/plan/plan.h"
#include "merge/run/journal_file.h"
#include "merge/run/task_result.h"
#include "merge/run/work_set.h"

namespace weightsmith::internal {

class Journal {
 public:
  /// Where a run, or a part of one, writes what it has done.
  static std::filesystem::path PathOf(const Plan& plan,
                                      const std::optional<RunPart>& part = std::nullopt);
  /// What lies beside an output under the names of its journals, whatever it is, in order.
  static std::vector<std::filesystem::path> PathsBeside(const std::filesystem::path& output);

  /// Reads what is there; changes nothing. `part`: which journal is written. Of several runs, the
  /// one that the first partial output is of is meant. Throws kUsage where something that is no
  /// journal has the name of the one that is to be written.
  Journal(const Plan& plan, bool effects, const std::optional<RunPart>& part = std::nullopt);
  /// Closes its own; one that was made and not written is removed.
  ~Journal();
  Journal(Journal&&) noexcept;
  Journal& operator=(Journal&&) = delete;

  /// Reads all of them again: other processes may have written theirs.
  void Read();

  /// Whether a journal is there, of whatever run.
  bool exists() const;
  /// Whether there is one of this run.
  bool ours() const;
  /// Why there is none, in words. REQUIRES: exists() and not ours().
  const std::string& difference() const;
  /// Whether the machine has run since the journals were begun, without a restart.
  bool same_boot() const;
  /// Each task once.
  const std::vector<FinishedTask>& finished() const;
  /// How many of them are in the journal that is written.
  std::size_t own() const;
  /// The files that the outputs were, once their renaming began; else empty.
  const std::vector<FileIdentity>& committed() const;

  /// What the partial output `file` starts with until its header is written.
  std::string StampOf(std::size_t file) const;
  /// What every stamp starts with.
  static std::string_view StampPrefix();

  /// Locks its own journal; false where another process writes it.
  [[nodiscard]] bool Claim();
  /// The name of a journal that another process is writing now though it divides the run in
  /// another way. Parts that have claimed their journals first do not overlook each other.
  std::optional<std::filesystem::path> OtherDivision() const;

  enum class Which : std::uint8_t { kAll, kOwn, kOthers };
  /// Cuts each of these journals off behind as many of its tasks as `intact` counts.
  /// REQUIRES: no other process writes to them.
  void Keep(Which which, const std::function<std::size_t(std::span<const FinishedTask>)>& intact);

  /// Makes its own journal anew, for a run of a new identity. Throws kFailed where another process
  /// writes it. REQUIRES: there are no others.
  void Start();
  /// Opens its own behind what it has. Throws kFailed where another process writes it.
  /// REQUIRES: ours(), and what it has is kept.
  void Continue();
  /// Appends a task. Throws kResources where the disk is full, kFailed otherwise.
  void Append(std::uint32_t task, const TaskResult& result);
  /// From here on the outputs are what `files` are. Durable where `sync` is set.
  void BeginCommit(const std::vector<FileIdentity>& files, bool sync);
  /// Removes all journals. REQUIRES: no other process writes one.
  void Remove();
  /// Removes its own.
  void RemoveOwn();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weightsmith::internal
