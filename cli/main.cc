#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "cli/interrupt.h"
#include "cli/program.h"

// Whenever its library is loaded, Highway finds out for benchmarks how fine the clock is: 3.6 ms,
// more than all the rest of our start. It asks a function of its interface (hwy/nanobenchmark.h),
// of which a program's own is taken. We measure nothing with it.
namespace hwy::platform {
[[gnu::visibility("default")]] std::uint64_t TimerResolution();
std::uint64_t TimerResolution() {
  return 1;
}
}  // namespace hwy::platform

int main(int argc, char** argv) {
  weightsmith::internal::MakeErrorsOfSignals();
  weightsmith::internal::Terminal terminal(stdout, stderr);
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  return weightsmith::internal::RunProgram(words, terminal);
}
