// What a command line may say, as tables: one row says everything about a flag, and the parser,
// both help pages, the man page and the completions of three shells are made from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weightsmith {

struct Command;

/// What a value must look like, and what a shell completes it with.
enum class ValueKind : std::uint8_t {
  kNone,  ///< a switch
  kText,
  kNumber,
  kInteger,     ///< not negative
  kBytes,       ///< 512M, 1.5GiB
  kAssignment,  ///< KEY=VALUE
  kFile,
  kFolder,
  kOperator,
  kCommand,
  kDType,
};

struct Flag {
  std::string_view name;  ///< long form, without dashes
  char letter = 0;        ///< short form; 0: none
  ValueKind kind = ValueKind::kNone;
  std::string_view value{};    ///< what the value is called: "FILE"
  std::string_view doc{};      ///< one line, without a full stop
  std::string_view details{};  ///< further sentences, for the manual
  std::string_view group = "Options";
  std::vector<std::string_view> choices{};
  bool repeatable = false;
};

struct Positional {
  std::string_view name;  ///< "FILE"
  std::string_view doc{};
  ValueKind kind = ValueKind::kFile;
  bool required = true;
  bool repeatable = false;  ///< takes all that remain; the last one only
  std::vector<std::string_view> choices{};
};

/// Flags that every command takes: help, version, quiet, verbose, progress.
std::span<const Flag> CommonFlags();

/// The values of one command line, checked against the command's table. Asking for a flag that
/// the table lacks throws std::out_of_range.
class ParsedArguments {
 public:
  /// Whether the command has the flag at all; REQUIRED of those below.
  bool Knows(std::string_view flag) const { return values_.contains(flag); }
  bool Has(std::string_view flag) const { return !All(flag).empty(); }
  /// Every value of a flag, in order; one empty text for a switch that is on.
  const std::vector<std::string>& All(std::string_view flag) const;
  std::optional<std::string> Text(std::string_view flag) const;
  std::optional<std::filesystem::path> Path(std::string_view flag) const;
  std::vector<std::filesystem::path> Paths(std::string_view flag) const;
  std::optional<double> Number(std::string_view flag) const;
  std::optional<std::uint64_t> Integer(std::string_view flag) const;
  std::optional<std::uint64_t> Bytes(std::string_view flag) const;
  /// KEY=VALUE pairs, in order.
  std::vector<std::pair<std::string, std::string>> Assignments(std::string_view flag) const;
  const std::vector<std::string>& positionals() const { return positionals_; }

 private:
  friend ParsedArguments ParseArguments(const Command&, std::span<const std::string>);

  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> positionals_;
};

/// Reads the words after a command's name. Flags and paths may come in any order, `--` ends the
/// flags, `-` is a path, names are never guessed, and a value may begin with a dash. Throws kUsage.
ParsedArguments ParseArguments(const Command& command, std::span<const std::string> words);

}  // namespace weightsmith
