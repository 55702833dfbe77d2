#include "cli/interrupt.h"

#include <unistd.h>

#include <csignal>

namespace weightsmith {
namespace {

// A signal handler can reach nothing but globals.
std::atomic<bool> interrupted{false};
std::atomic<int> signal_number{SIGINT};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

extern "C" void HandleSignal(int number) {
  if (interrupted.exchange(true)) _exit(128 + number);
  signal_number = number;
}

}  // namespace

void IgnoreBrokenPipes() {
  std::signal(SIGPIPE, SIG_IGN);
}

const std::atomic<bool>& CatchInterrupts() {
  struct sigaction action {};
  action.sa_handler = HandleSignal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return interrupted;
}

int InterruptStatus() {
  return 128 + signal_number.load();
}

}  // namespace weightsmith
