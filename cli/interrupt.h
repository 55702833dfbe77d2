// Ctrl-C and SIGTERM: the first asks the running command to stop, a second ends the program at
// once.
#pragma once

#include <atomic>

namespace weightsmith {

/// Makes a closed pipe an error of the write instead of the end of the program.
void IgnoreBrokenPipes();

/// From now on the first SIGINT or SIGTERM only sets the flag, which the caller promises to look
/// at. Until then a signal ends the program.
const std::atomic<bool>& CatchInterrupts();

/// 130 after SIGINT, 143 after SIGTERM; 130 when neither came.
int InterruptStatus();

}  // namespace weightsmith
