#include <cstdio>
#include <string>
#include <vector>

#include "cli/interrupt.h"
#include "cli/program.h"

int main(int argc, char** argv) {
  weightsmith::internal::MakeErrorsOfSignals();
  weightsmith::internal::Terminal terminal(stdout, stderr);
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  return weightsmith::internal::RunProgram(words, terminal);
}
