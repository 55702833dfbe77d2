#include "cli/flags/option_words.h"

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace weightsmith::internal {
namespace {

/// "--set w", "--dtype".
std::string SourceName(const SourceText& source) {
  switch (source.setting) {
    case Setting::kVariable:
      return fmt::format("--set {}", source.key);
    case Setting::kPolicy:
      return fmt::format("--policy {}", source.key);
    case Setting::kSelectOutput:
      return "--step";
    case Setting::kOutputPath:
      return "-o";
    case Setting::kDType:
      return "--dtype";
    case Setting::kRounding:
      return "--rounding";
    case Setting::kMaxShardSize:
      return "--max-shard-size";
    case Setting::kNone:
      break;
  }
  return source.name;
}

/// "--force replaces it."
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
    case Option::kSelectOutput:
      return "Choose one with --step.";
    case Option::kMaxShardSize:
      return "--max-shard-size sets the size of files.";
    case Option::kTrustPartial:
      return "--trust-partial skips this check.";
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

Spelling CommandLineSpelling() {
  return {.source = &SourceName,
          .advice = [](Option option) { return std::string(OptionSentence(option)); }};
}

}  // namespace weightsmith::internal
