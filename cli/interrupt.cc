#include "cli/interrupt.h"

#include <unistd.h>

#include <csignal>

namespace weightsmith::internal {
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

void MakeErrorsOfSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

const std::atomic<bool>& CatchInterrupts() {
  struct sigaction action {};
  action.sa_handler = HandleSignal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    // `nohup` and shells in the background have a signal ignored, and it stays so.
    struct sigaction before {};
    if (sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    sigaction(number, &action, nullptr);
  }
  return interrupted;
}

int InterruptStatus() {
  return 128 + signal_number.load();
}

}  // namespace weightsmith::internal
