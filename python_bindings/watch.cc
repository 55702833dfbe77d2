#include "python_bindings/watch.h"

#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "core/base/error.h"
#include "core/io/byte_source.h"

namespace weightsmith::internal::python {
namespace {

namespace nb = nanobind;
using Clock = std::chrono::steady_clock;

constexpr auto kTick = std::chrono::milliseconds(20);

/// What the working thread says, as the waiting one reads it.
struct State {
  std::mutex mutex;
  std::condition_variable changed;
  std::string phase;
  Progress progress;
  bool fresh = false;
  bool done = false;
};

/// Looks for signals and tells the progress. Throws what either throws.
void LookAround(State& state, const nb::object& callback, Clock::time_point start) {
  const nb::gil_scoped_acquire acquired;
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
  std::unique_lock lock(state.mutex);
  if (callback.is_none() || !std::exchange(state.fresh, false)) return;
  const std::string phase = state.phase;
  const Progress progress = state.progress;
  lock.unlock();
  callback(phase, progress.bytes_done, progress.bytes_total,
           std::chrono::duration<double>(Clock::now() - start).count());
}

template <class Body>
std::thread StartThread(Body body) {
  try {
    return std::thread(std::move(body));
  } catch (const std::system_error& error) {
    throw Error(ErrorCode::kResources,
                std::string("cannot start a thread: ") + error.code().message());
  }
}

}  // namespace

void RunWatched(RunOptions options, const std::string& phase, const nb::object& callback,
                const Job& job) {
  State state;
  state.phase = phase;
  std::atomic<bool> cancel = false;
  options.cancel = &cancel;
  options.progress = [&](const Progress& progress) {
    const std::scoped_lock lock(state.mutex);
    state.progress = progress;
    state.fresh = true;
    return true;
  };
  const auto begin = [&](std::string_view next) {
    const std::scoped_lock lock(state.mutex);
    state.phase = next;
  };
  const Clock::time_point start = Clock::now();
  std::exception_ptr failed;
  std::exception_ptr stopped;
  {
    const nb::gil_scoped_release released;
    std::thread worker = StartThread([&] {
      try {
        job(options, begin);
      } catch (...) {
        failed = std::current_exception();
      }
      const std::scoped_lock lock(state.mutex);
      state.done = true;
      state.changed.notify_one();
    });
    for (bool done = false; !done;) {
      {
        std::unique_lock lock(state.mutex);
        done = state.changed.wait_for(lock, kTick, [&] { return state.done; });
        if (done && !failed && state.progress.bytes_total > 0) {
          state.progress.bytes_done = state.progress.bytes_total;
          state.fresh = true;
        }
      }
      if (stopped) continue;
      try {
        LookAround(state, callback, start);
      } catch (...) {
        stopped = std::current_exception();
        cancel = true;
      }
    }
    worker.join();
  }
  if (stopped) std::rethrow_exception(stopped);
  if (failed) std::rethrow_exception(failed);
}

RunOptions RunOptionsOf(const nb::dict& given) {
  RunOptions options;
  options.threads = Find<int>(given, "threads").value_or(0);
  options.max_memory = Find<std::uint64_t>(given, "max_memory");
  if (const auto io = Find<std::string>(given, "io")) {
    options.io = *io == "map" ? IoBackend::kMap : IoBackend::kRead;
  }
  options.sync = Find<bool>(given, "sync").value_or(options.sync);
  options.keep_cache = Find<bool>(given, "keep_cache").value_or(options.keep_cache);
  if (const auto part = Find<std::pair<std::uint32_t, std::uint32_t>>(given, "part")) {
    options.part = RunPart{part->first, part->second};
  }
  options.keep_partial = Find<bool>(given, "resume").value_or(false) || options.part.has_value();
  options.trust_partial = Find<bool>(given, "trust_partial").value_or(options.trust_partial);
  options.overwrite = Find<bool>(given, "overwrite").value_or(options.overwrite);
  options.make_folders = Find<bool>(given, "make_folders").value_or(options.make_folders);
  options.digests = Find<bool>(given, "digests").value_or(options.digests);
  options.sha256 = Find<bool>(given, "sha256").value_or(options.sha256);
  options.by_tensor = Find<bool>(given, "by_tensor").value_or(options.by_tensor);
  return options;
}

}  // namespace weightsmith::internal::python
