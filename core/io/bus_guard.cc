#include "core/io/bus_guard.h"

#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstring>

namespace weightsmith::internal {
namespace {

/// The copy that a thread is in.
struct Guard {
  sigjmp_buf* resume = nullptr;
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

// Initial-exec, so that a signal handler may touch it in any thread: no allocation on first use.
thread_local constinit Guard guard __attribute__((tls_model("initial-exec")));
struct sigaction previous_action;

void PassOn(int signal, siginfo_t* info, void* context) {
  if (previous_action.sa_flags & SA_SIGINFO) {
    previous_action.sa_sigaction(signal, info, context);
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal);
  } else {
    // The faulting instruction runs again after the return, now with the default: the process ends
    // as if this handler had never been there.
    std::signal(signal, SIG_DFL);
  }
}

void OnBusError(int signal, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  if (guard.resume != nullptr && address >= guard.begin && address < guard.end) {
    siglongjmp(*guard.resume, 1);
  }
  PassOn(signal, info, context);
}

bool InstallHandler() {
  struct sigaction action = {};
  action.sa_sigaction = OnBusError;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  return sigaction(SIGBUS, &action, &previous_action) == 0;
}

}  // namespace

bool CopyFromMapping(std::byte* to, const std::byte* from, std::size_t size) {
  [[maybe_unused]] static const bool installed = InstallHandler();
  sigjmp_buf resume;
  // With the signal mask: the handler is left by a jump, and the signal must not stay blocked.
  if (sigsetjmp(resume, 1) != 0) {
    guard = {};
    return false;
  }
  const auto begin = reinterpret_cast<std::uintptr_t>(from);
  guard = {.resume = &resume, .begin = begin, .end = begin + size};
  // The compiler must not move the copy out of the guarded stretch.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  std::memcpy(to, from, size);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  guard = {};
  return true;
}

}  // namespace weightsmith::internal
