#include "recipes/api/watch.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/error.h"

namespace weightsmith::internal {
namespace {

constexpr int kMostThreads = 1024;

}  // namespace

Watch::Watch(const weightsmith::RunOptions& options, std::string phase) : caller_(options) {
  if (options.threads < 0 || options.threads > kMostThreads) {
    throw Error(ErrorCode::kUsage,
                fmt::format("threads is {}, expected 0 to {}", options.threads, kMostThreads));
  }
  told_.phase = std::move(phase);
  engine_.threads = options.threads;
  engine_.max_memory = options.max_memory;
  if (options.io) {
    const bool map = *options.io == weightsmith::IoBackend::kMap;
    engine_.io = map ? IoBackend::kMap : IoBackend::kRead;
  }
  engine_.sync = options.sync;
  engine_.keep_cache = options.keep_cache;
  engine_.keep_partial = options.resume || options.part.has_value();
  engine_.trust_partial = options.trust_partial;
  engine_.overwrite = options.overwrite;
  engine_.make_folders = options.make_folders;
  engine_.digests = options.digests;
  engine_.sha256 = options.sha256;
  engine_.by_tensor = options.by_tensor;
  if (options.part) engine_.part = RunPart{options.part->index, options.part->count};
  engine_.cancel = options.cancel;
  if (options.progress) {
    engine_.progress = [this](const Progress& progress) {
      return Tell(progress.bytes_done, progress.bytes_total);
    };
  }
}

bool Watch::Tell(std::uint64_t bytes_done, std::uint64_t bytes_total) {
  told_.bytes_done = bytes_done;
  told_.bytes_total = bytes_total;
  told_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  try {
    return caller_.progress(told_);
  } catch (...) {
    thrown_ = std::current_exception();
    return false;
  }
}

void Watch::TellDone() {
  if (!caller_.progress || told_.bytes_done == told_.bytes_total) return;
  Tell(told_.bytes_total, told_.bytes_total);
  if (thrown_) std::rethrow_exception(thrown_);
}

}  // namespace weightsmith::internal
