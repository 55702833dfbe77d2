// What plans are computed for, each a call of an engine: outputs in files, from what an earlier run
// left, within a budget of memory and stoppable at any moment; tensors in memory; digests; a
// sample.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/io/byte_source.h"
#include "merge/plan/plan.h"
#include "merge/run/progress.h"
#include "merge/run/report.h"
#include "merge/run/task_result.h"
#include "merge/run/work_set.h"

namespace weightsmith::internal {

struct RunOptions {
  int threads = 0;                            ///< 0: one per physical core
  std::optional<std::uint64_t> max_memory{};  ///< bytes, resident, the program included
  /// What the process has held already counts: it does nothing else.
  bool whole_process = false;
  std::optional<IoBackend> io{};  ///< nothing: positioned reads for single sweeps
  bool sync = true;
  /// False: inputs and (synced) outputs leave the page cache, for others to keep theirs.
  bool keep_cache = true;
  /// False: what is partial is removed when a run is interrupted or the disk is full.
  bool keep_partial = true;
  /// Goes on from a partial output without reading back what it holds.
  bool trust_partial = false;
  bool overwrite = false;
  bool make_folders = false;
  bool digests = true;
  bool effects = true;
  bool sha256 = false;     ///< of each output
  bool by_tensor = false;  ///< keep a row for every tensor in the report
  /// The part of the plan that is computed; others may be computed by other processes at the same
  /// time. What each has done is in the partial output and in a journal of its own, where it stays
  /// for the others (keep_partial and digests are needed); the one that finds everything done ends
  /// like a run that is not divided.
  std::optional<RunPart> part{};
  /// Where the caller will write the report: no run writes it, but it may be no file of the run.
  std::optional<std::filesystem::path> report{};
  /// Called from time to time from a worker thread; return false to stop (kInterrupted).
  std::function<bool(const Progress&)> progress{};
  /// Set from anywhere, also a signal handler, to stop.
  const std::atomic<bool>* cancel = nullptr;
  /// Receives one line about a resumed or restarted partial output.
  std::function<void(const std::string&)> note{};
};

/// Runs the plan and returns what each input did. On success the outputs stand under their names;
/// after any error they do not, and inputs are untouched. Interrupted or with a full disk, partial
/// outputs and their journal stay for the same plan to go on from (keep_partial, and digests to
/// check them by); after other errors they are removed; of a part, what it has done. Of a part that
/// does not end the run the report has Report::tensors_left and nothing else.
Report Run(const Plan& plan, const RunOptions& options);

/// Computes every tensor of the plan, as Run does, and writes nothing: what Run would have found of
/// each, parallel to Plan::tasks, digests of its results included. Throws as Run does.
std::vector<TaskResult> Recompute(const Plan& plan, const RunOptions& options);

/// The tensors of the plan's outputs in memory, under the names of its output files: the bytes that
/// Run would write. Throws as Run does, and kMismatch where two outputs have one name.
std::shared_ptr<const Checkpoint> RunInMemory(const Plan& plan, const RunOptions& options);

/// Computes a deterministic sample of the tiles and writes nothing: what Run would say about
/// effects, estimated within `budget` bytes read.
Report Sample(const Plan& plan, const RunOptions& options, std::uint64_t budget);

/// Peak resident memory that Run will stay within, given the options.
std::uint64_t PeakMemory(const Plan& plan, const RunOptions& options);

}  // namespace weightsmith::internal
