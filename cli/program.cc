#include "cli/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <optional>
#include <system_error>
#include <vector>

#include "cli/command.h"
#include "cli/flags/help.h"
#include "cli/flags/option_words.h"
#include "cli/interrupt.h"
#include "core/base/error.h"
#include "core/base/simd.h"
#include "core/base/text.h"
#include "core/base/version.h"

namespace weightsmith::internal {
namespace {

// Words that stand before the command's name belong to it as well: `weightsmith -q merge …`.
struct Request {
  std::optional<std::string> command;
  std::vector<std::string> words;  ///< all but the command's name
};

bool TakesNextWord(const std::string& word) {
  return std::ranges::any_of(CommonFlags(), [&](const Flag& flag) {
    return flag.kind != ValueKind::kNone && word == fmt::format("--{}", flag.name);
  });
}

Request ReadRequest(std::span<const std::string> words) {
  Request request;
  bool value_follows = false;
  for (const std::string& word : words) {
    const bool is_flag = value_follows || (word.size() > 1 && word.front() == '-');
    if (!request.command && !is_flag) {
      request.command = word;
    } else {
      request.words.push_back(word);
    }
    value_follows = !request.command && !value_follows && TakesNextWord(word);
  }
  return request;
}

bool Asks(const Request& request, std::string_view letter, std::string_view name) {
  const auto end = std::ranges::find(request.words, "--");
  return std::any_of(request.words.begin(), end,
                     [&](const std::string& word) { return word == letter || word == name; });
}

void Configure(const ParsedArguments& arguments, Terminal& terminal) {
  if (arguments.Has("quiet")) terminal.set_verbosity(Verbosity::kQuiet);
  if (arguments.Has("verbose")) terminal.set_verbosity(Verbosity::kVerbose);
  const std::string mode = arguments.Text("progress").value_or("auto");
  if (mode == "json") terminal.set_progress(ProgressMode::kJson);
  if (mode == "off") terminal.set_progress(ProgressMode::kOff);
}

void ApplyEnvironment() {
  const char* target = std::getenv("WEIGHTSMITH_SIMD");
  if (target == nullptr || *target == '\0') return;
  WithContext("WEIGHTSMITH_SIMD", [&] { ForceSimdTarget(target); });
}

int Dispatch(std::span<const std::string> words, Terminal& terminal) {
  const Request request = ReadRequest(words);
  if (Asks(request, "-V", "--version")) {
    terminal.Print(fmt::format("weightsmith {}\n", Version()));
    return 0;
  }
  const bool manual = Asks(request, "--help", "--help");
  const bool screen = Asks(request, "-h", "-h");
  if (!request.command) {
    if (!manual && !screen) {
      throw Error(ErrorCode::kUsage, "no command is given.", ProgramHelp());
    }
    terminal.Print(manual ? ProgramManual() : ProgramHelp());
    return 0;
  }
  const Command& command = CommandByName(*request.command);
  if (manual || screen) {
    terminal.Print(manual ? LongHelp(command) : ShortHelp(command));
    return 0;
  }
  const ParsedArguments arguments = ParseArguments(command, request.words);
  Configure(arguments, terminal);
  ApplyEnvironment();
  return command.run(arguments, terminal);
}

int StatusOf(const Error& error) {
  if (error.code() == ErrorCode::kInterrupted) return InterruptStatus();
  return static_cast<int>(error.code());
}

std::string_view TrimEnd(std::string_view text) {
  const std::size_t end = text.find_last_not_of('\n');
  return text.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

}  // namespace

int RunProgram(std::span<const std::string> words, Terminal& terminal) {
  try {
    return Dispatch(words, terminal);
  } catch (const BrokenPipe&) {
    return 0;
  } catch (const Error& error) {
    terminal.Fail(TrimEnd(error.what()), TrimEnd(AdviceOf(error)));
    return StatusOf(error);
  } catch (const std::bad_alloc&) {
    terminal.Fail("out of memory.", "--max-memory bounds what a merge may hold.");
    return static_cast<int>(ErrorCode::kResources);
  } catch (const std::filesystem::filesystem_error& error) {
    terminal.Fail(fmt::format("{}: {}", Quote(error.path1().string()), error.code().message()), "");
    return static_cast<int>(ErrorCode::kFailed);
  } catch (const std::system_error& error) {
    terminal.Fail(fmt::format("the system refused: {}", error.code().message()),
                  "Fewer threads (--threads) or a higher limit of processes may help.");
    return static_cast<int>(ErrorCode::kResources);
  } catch (const std::exception& error) {
    terminal.Fail(fmt::format("unexpected: {}", error.what()),
                  "This is a bug in weightsmith. Please report it with the command line.");
    return static_cast<int>(ErrorCode::kFailed);
  }
}

}  // namespace weightsmith::internal
