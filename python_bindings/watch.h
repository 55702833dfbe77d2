// Long work for Python: on a thread of its own, while the calling one looks for signals and tells
// the progress.
#pragma once

#include <nanobind/nanobind.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "merge/run/executor.h"

namespace weightsmith::internal::python {

/// What a job is given: options with progress and cancel set, and whom to tell what begins.
using Job =
    std::function<void(const RunOptions&, const std::function<void(std::string_view)>& phase)>;

/// Runs `job` without the interpreter's lock and waits for it. `progress` (None, or a callable)
/// gets phase, bytes done, bytes in all and seconds, on this thread, many times a second and at the
/// end. Ctrl-C, or an exception of `progress`, stops the job within a second and is thrown.
void RunWatched(RunOptions options, const std::string& phase, const nanobind::object& progress,
                const Job& job);

/// The options of a run as weightsmith/_options.py gives them. Throws kUsage for what makes no
/// sense.
RunOptions RunOptionsOf(const nanobind::dict& options);

/// A value of a dict; nothing for None or a key that is not there.
template <class T>
std::optional<T> Find(const nanobind::dict& dict, const char* key) {
  if (!dict.contains(key) || dict[key].is_none()) return std::nullopt;
  return nanobind::cast<T>(dict[key]);
}

}  // namespace weightsmith::internal::python
