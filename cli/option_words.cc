#include "cli/option_words.h"

#include <stdexcept>
#include <string_view>

namespace weightsmith {
namespace {

std::string_view OptionSentence(Option option) {
  switch (option) {
    case Option::kOverwrite:
      return "--force replaces it.";
    case Option::kMakeFolders:
      return "--mkdir makes missing folders.";
    case Option::kMaxMemory:
      return "--max-memory sets what a run may hold.";
    case Option::kReadInsteadOfMap:
      return "Use --io read.";
    case Option::kAllowUnmatched:
      return "--allow-unmatched REGEX allows modules that change nothing.";
    case Option::kModelFolders:
      return "--models DIR, or WEIGHTSMITH_MODELS, names folders with models.";
    case Option::kModelPath:
      return "--model NAME=PATH names the file of an input.";
    case Option::kCheckFileOnly:
      return "--no-recompute checks the file alone.";
  }
  throw std::logic_error("an option without a sentence");
}

}  // namespace

std::string AdviceOf(const Error& error) {
  std::string advice = error.advice();
  for (const Option option : error.options()) {
    if (!advice.empty()) advice += advice.back() == '\n' ? "" : " ";
    advice += OptionSentence(option);
  }
  return advice;
}

}  // namespace weightsmith
