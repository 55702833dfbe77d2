#include "core/io/release.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace weightsmith::internal {
namespace {

/// What takes no time worth a process.
constexpr std::uint64_t kQuick = 128u << 20;

/// Closes all descriptors but two. Of a process that was forked from one with threads: nothing here
/// may allocate memory.
void KeepOpen(int file, int pipe) {
  const auto close_from = [](int first, int last) {
    if (first <= last && ::syscall(SYS_close_range, first, last, 0) != 0) {
      for (int other = first; other <= last && other < 65536; ++other) ::close(other);
    }
  };
  const int lower = file < pipe ? file : pipe;
  const int upper = file < pipe ? pipe : file;
  close_from(0, lower - 1);
  close_from(lower + 1, upper - 1);
  close_from(upper + 1, ~0u >> 1);
}

/// The last one to have the file: it waits until the others have closed their ends of the pipe.
[[noreturn]] void HoldToTheEnd(int file, int pipe) {
  KeepOpen(file, pipe);
  char byte = 0;
  Retry([&] { return ::read(pipe, &byte, 1); });
  ::_exit(0);
}

}  // namespace

void ReleaseRemoved(FileHandle file, std::uint64_t size) {
  std::array<int, 2> ends{};
  if (size < kQuick || ::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  FileHandle pipe(ends[0]);
  FileHandle others(ends[1]);
  // A child of a child is nobody's to wait for.
  const pid_t child = ::fork();
  if (child == 0) {
    if (::fork() == 0) HoldToTheEnd(file.get(), pipe.get());
    ::close(file.get());
    ::_exit(0);
  }
  if (child > 0) Retry([&] { return ::waitpid(child, nullptr, 0); });
  file.Close();
}

}  // namespace weightsmith::internal
