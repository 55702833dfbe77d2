// What a command line may say, as tables: one row says everything about a flag, and the parser,
// both help pages, the man page and the completions of three shells are made from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weightsmith::internal {

struct Command;

/// Every flag by name, but for the parts that `assemble` declares.
inline constexpr std::string_view kFlagNames[] = {"allow-unmatched",
                                                  "alpha",
                                                  "base",
                                                  "components",
                                                  "density",
                                                  "dry-run",
                                                  "dtype",
                                                  "files-from",
                                                  "finetune-of",
                                                  "fix",
                                                  "force",
                                                  "get",
                                                  "help",
                                                  "io",
                                                  "json",
                                                  "key",
                                                  "layout",
                                                  "like",
                                                  "lora",
                                                  "lora-blocks",
                                                  "max-memory",
                                                  "max-shard-size",
                                                  "mbw",
                                                  "mkdir",
                                                  "model",
                                                  "models",
                                                  "no-cache",
                                                  "no-digest",
                                                  "no-files",
                                                  "no-recompute",
                                                  "no-sample",
                                                  "no-sync",
                                                  "op",
                                                  "output",
                                                  "part",
                                                  "param",
                                                  "policy",
                                                  "presets",
                                                  "print-recipe",
                                                  "private",
                                                  "progress",
                                                  "prune",
                                                  "quiet",
                                                  "remove",
                                                  "report",
                                                  "rounding",
                                                  "scale",
                                                  "seed",
                                                  "set",
                                                  "sha256",
                                                  "sparse",
                                                  "step",
                                                  "strict-components",
                                                  "summary",
                                                  "tensors",
                                                  "threads",
                                                  "trust-partial",
                                                  "vae",
                                                  "verbose",
                                                  "version",
                                                  "weights"};

/// A flag that code asks for. A name that is not in kFlagNames does not compile.
class FlagName {
 public:
  consteval FlagName(const char* name)  // NOLINT(google-explicit-constructor)
      : text_(name) {
    bool known = false;
    for (const std::string_view flag : kFlagNames) known = known || flag == text_;
    if (!known) throw std::invalid_argument("no flag has this name");
  }
  /// The flag of a part, such as "clip-l".
  static FlagName OfPart(std::string_view part) { return FlagName(part, 0); }

  std::string_view text() const { return text_; }

 private:
  FlagName(std::string_view text, int /*unchecked*/) : text_(text) {}

  std::string_view text_;
};

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
  kStorage,  ///< a dtype, or codes with scales beside them: "f8_scaled"
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
  bool hidden = false;  ///< taken and not shown: what other programs use
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

/// The values of one command line, checked against the command's table. A flag that the table
/// lacks is one that was not given; tests read asked() and refuse a command that asks for it.
class ParsedArguments {
 public:
  /// Whether the command has the flag at all.
  bool Knows(FlagName flag) const { return values_.contains(flag.text()); }
  bool Has(FlagName flag) const { return !All(flag).empty(); }
  /// Every value of a flag, in order; one empty text for a switch that is on.
  const std::vector<std::string>& All(FlagName flag) const;
  std::optional<std::string> Text(FlagName flag) const;
  std::optional<std::filesystem::path> Path(FlagName flag) const;
  std::vector<std::filesystem::path> Paths(FlagName flag) const;
  std::optional<double> Number(FlagName flag) const;
  std::optional<std::uint64_t> Integer(FlagName flag) const;
  std::optional<std::uint64_t> Bytes(FlagName flag) const;
  /// KEY=VALUE pairs, in order.
  std::vector<std::pair<std::string, std::string>> Assignments(FlagName flag) const;
  const std::vector<std::string>& positionals() const { return positionals_; }

  /// The flags whose values have been asked for.
  const std::set<std::string, std::less<>>& asked() const { return asked_; }

 private:
  friend ParsedArguments ParseArguments(const Command&, std::span<const std::string>);

  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> positionals_;
  mutable std::set<std::string, std::less<>> asked_;
};

/// Reads the words after a command's name. Flags and paths may come in any order, `--` ends the
/// flags, `-` is a path, names are never guessed, and a value may begin with a dash. Throws kUsage.
ParsedArguments ParseArguments(const Command& command, std::span<const std::string> words);

}  // namespace weightsmith::internal
