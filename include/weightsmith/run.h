// How to run what reads or writes tensors, and how far it is.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace weightsmith {

/// How far a run is.
struct Progress {
  std::string phase;             ///< what is being done: "merging"
  std::uint64_t bytes_done = 0;  ///< of bytes_total
  std::uint64_t bytes_total = 0;
  double seconds = 0;  ///< since the run began
};

/// How the bytes of files are read.
enum class IoBackend : std::uint8_t { kMap, kRead };

/// One of the parts that a run is divided into: about as many bytes as every other.
struct RunPart {
  std::uint32_t index = 1;  ///< from 1
  std::uint32_t count = 1;
};

/// The same for everything that runs. The bytes of a result depend on none of it; what writes no
/// files has no use for what is of files.
struct RunOptions {
  /// Threads that compute, up to 1024. 0: one for each physical core.
  int threads = 0;
  /// Bytes of memory that the run may hold, the program included; it is refused (kResources) where
  /// it needs more. Nothing: as much as the plan needs, at most half of what is free.
  std::optional<std::uint64_t> max_memory{};
  /// Nothing: what is faster where the file lies.
  std::optional<IoBackend> io{};
  /// Called many times a second and at the end, from the threads of the run, from one at a time.
  /// Return false to stop (kInterrupted); what it throws stops the run too, and is thrown by it.
  std::function<bool(const Progress&)> progress{};
  /// Set from any thread, or from a handler of signals, to stop within half a second
  /// (kInterrupted). It has to outlive the run.
  const std::atomic<bool>* cancel = nullptr;

  bool overwrite = false;     ///< replace an output that exists
  bool make_folders = false;  ///< make the folder of the output
  bool sync = true;           ///< return when the output is safe on disk
  bool keep_cache = true;     ///< false: leave nothing of inputs and outputs in the page cache
  bool digests = true;     ///< of what is read and written; without them no inputs are found again
  bool sha256 = false;     ///< of inputs and outputs; takes longer than merging
  bool by_tensor = false;  ///< the report has a row for each tensor
  /// What is done stays when the run is interrupted, and the same call goes on from there; else it
  /// is removed.
  bool resume = false;
  /// With `resume`: what an interrupted run wrote is not read back before it is used.
  bool trust_partial = false;
  /// Computes this part of what is written. Parts 1 to `count` are calls with the same arguments
  /// beside it, in any order, and at the same time where they are in several processes on one
  /// machine or in several threads: each adds to the same partial output. The call that finds all
  /// parts done gives the outputs their names, once; their bytes are those of a run that is not
  /// divided. The reports of the others have `tensors_left` alone. What a part has done stays,
  /// without `resume` too: one that was stopped or failed is called again, and goes on from there
  /// where it was stopped. A call without `part` computes what is left of all. Throws kUsage for an
  /// index that is not 1 to `count` and without `digests`, kFailed where another process writes the
  /// outputs that is no part of the same run, divided in the same way, or computes the same part.
  std::optional<RunPart> part{};
};

}  // namespace weightsmith
