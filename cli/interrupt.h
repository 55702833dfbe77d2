// Ctrl-C, SIGTERM and SIGHUP: the first asks the running command to stop, a second ends the program
// at once.
#pragma once

#include <atomic>

namespace weightsmith::internal {

/// Makes a closed pipe, or a limit on the size of files, an error of the write instead of the end
/// of the program.
void MakeErrorsOfSignals();

/// From now on the first SIGINT, SIGTERM or SIGHUP only sets the flag, which the caller promises to
/// look at. Until then a signal ends the program.
const std::atomic<bool>& CatchInterrupts();

/// 130 after SIGINT, 143 after SIGTERM, 129 after SIGHUP; 130 when none came.
int InterruptStatus();

}  // namespace weightsmith::internal
