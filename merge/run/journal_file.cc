#include "merge/run/journal_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/output_target.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kMagic = "weightsmith-journal-";
constexpr std::string_view kFormat = "weightsmith-journal-2";
constexpr std::string_view kCommit = "commit";
constexpr std::uint64_t kLooked = 1 << 16;  ///< bytes that tell a damaged journal from another file

std::string Checked(std::string line) {
  return line + " " + Xxh3(std::as_bytes(std::span(line))).ToHex() + "\n";
}

/// The line before its check; nothing where that does not match.
std::optional<std::string> Unchecked(const std::string& line) {
  const std::size_t space = line.rfind(' ');
  if (space == std::string::npos) return std::nullopt;
  std::string body = line.substr(0, space);
  if (Xxh3(std::as_bytes(std::span(body))).ToHex() != line.substr(space + 1)) return std::nullopt;
  return body;
}

std::optional<Digest> ReadDigest(std::istream& words) {
  std::string hex;
  words >> hex;
  return Digest::FromHex(hex);
}

bool ReadDigests(std::istream& words, std::size_t count, std::vector<Digest>& digests) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::optional<Digest> digest = ReadDigest(words);
    if (!digest) return false;
    digests.push_back(*digest);
  }
  return true;
}

/// The task on a line; nothing where it is no task of the plan.
std::optional<FinishedTask> ParseTask(const std::string& body, const Plan& plan) {
  std::istringstream words(body);
  FinishedTask finished;
  TaskResult& result = finished.result;
  words >> finished.task >> result.non_finite >> result.bytes_read >> result.bytes_written;
  if (!words || finished.task >= plan.tasks.size()) return std::nullopt;
  const Task& task = plan.tasks[finished.task];
  if (!ReadDigests(words, task.sources.size(), result.sources) ||
      !ReadDigests(words, task.products.size(), result.products)) {
    return std::nullopt;
  }
  for (std::size_t p = 0; p < task.tape.probes.size(); ++p) {
    std::uint64_t change = 0;
    std::uint64_t before = 0;
    Effect& effect = result.effects.emplace_back();
    if (!(words >> effect.elements >> effect.changed >> effect.rounded >> change >> before)) {
      return std::nullopt;
    }
    effect.change_squares = std::bit_cast<double>(change);
    effect.before_squares = std::bit_cast<double>(before);
  }
  for (std::size_t f = 0; f < task.findings.list.size(); ++f) {
    std::uint64_t number = 0;
    std::uint64_t of = 0;
    Found& found = result.found.emplace_back();
    if (!(words >> found.marked >> found.seen >> number >> of)) return std::nullopt;
    found.number = std::bit_cast<double>(number);
    found.of = std::bit_cast<double>(of);
  }
  return finished;
}

std::vector<FileIdentity> ParseCommit(const std::string& body) {
  std::istringstream words(body.substr(kCommit.size()));
  std::vector<FileIdentity> files;
  FileIdentity file;
  while (words >> file.device >> file.inode) files.push_back(file);
  return files;
}

/// Whether most of the first bytes are a journal's: a disk can return blocks that were never
/// written (zeros), a file cut short and single bits that changed.
bool LooksLikeHeading(std::string_view start) {
  start = start.substr(0, kMagic.size());
  std::size_t alike = 0;
  for (std::size_t at = 0; at < start.size(); ++at)
    alike += start[at] == kMagic[at] || start[at] == '\0' ? 1 : 0;
  return 2 * alike >= start.size();
}

/// Whether any line is one of a journal, though the heading is damaged.
bool HasWholeLine(std::string_view text) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);)
    if (Unchecked(line)) return true;
  return false;
}

[[noreturn]] void RefuseForeign(const std::filesystem::path& path) {
  throw Error(ErrorCode::kUsage,
              fmt::format("{} exists and is no journal of an interrupted run; a run would keep its "
                          "journal there",
                          Quote(path.string())),
              "Move it away, or choose another output.");
}

/// At most `limit` bytes; nothing where there is no file. Another process may shorten or remove it.
std::optional<std::string> TextOf(const std::filesystem::path& path, std::uint64_t limit) {
  constexpr int kTries = 10;
  for (int tried = 1;; ++tried) {
    if (!IdentifyFile(path)) return std::nullopt;
    try {
      const auto file = OpenByteSource(path, IoBackend::kRead);
      return ReadText(*file, 0, std::min(file->size(), limit));
    } catch (const Error&) {
      if (tried == kTries) throw;
    }
  }
}

/// Nothing where there is no file.
std::optional<std::string> ReadJournal(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) return std::nullopt;
  if (!IsJournal(path)) {
    if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) {
      return std::nullopt;
    }
    RefuseForeign(path);
  }
  return TextOf(path, std::numeric_limits<std::uint64_t>::max());
}

void ReadHeading(const std::string& line, const RunFingerprint& now, JournalFile& journal) {
  journal.difference = "it is not whole";
  const auto body = Unchecked(line);
  if (!body) return;
  std::istringstream words(*body);
  std::string format;
  words >> format >> journal.run >> journal.boot;
  if (format != kFormat) {
    journal.difference = "it was written by another version of the program";
    return;
  }
  RunFingerprint before;
  for (Digest* digest : {&before.program, &before.plan, &before.inputs, &before.outputs}) {
    const auto read = ReadDigest(words);
    if (!read) return;
    *digest = *read;
  }
  journal.ours = before == now;
  journal.difference = journal.ours ? "" : DifferenceOf(before, now);
}

void ReadLines(const std::string& text, const Plan& plan, const RunFingerprint& now,
               JournalFile& journal) {
  std::size_t at = text.find('\n');
  ReadHeading(text.substr(0, at), now, journal);
  journal.ours = journal.ours && at != std::string::npos;
  if (!journal.ours) return;
  journal.ends.push_back(++at);
  std::vector<bool> known(plan.tasks.size());
  for (std::size_t end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    const auto body = Unchecked(text.substr(at, end - at));
    if (!body) return;
    if (body->starts_with(kCommit)) {
      journal.committed = ParseCommit(*body);
      return;
    }
    auto task = ParseTask(*body, plan);
    if (!task || known[task->task]) return;
    known[task->task] = true;
    journal.finished.push_back(std::move(*task));
    journal.ends.push_back(end + 1);
  }
}

}  // namespace

std::optional<JournalFile> ReadJournalFile(const std::filesystem::path& path, const Plan& plan,
                                           const RunFingerprint& now) {
  const std::optional<std::string> text = ReadJournal(path);
  if (!text) return std::nullopt;
  JournalFile journal{.path = path};
  ReadLines(*text, plan, now, journal);
  return journal;
}

std::string JournalHeading(const std::string& run, const std::string& boot,
                           const RunFingerprint& now) {
  return Checked(fmt::format("{} {} {} {} {} {} {}", kFormat, run, boot, now.program.ToHex(),
                             now.plan.ToHex(), now.inputs.ToHex(), now.outputs.ToHex()));
}

std::string JournalLine(std::size_t task, const TaskResult& result) {
  std::string line =
      fmt::format("{} {} {} {}", task, result.non_finite, result.bytes_read, result.bytes_written);
  for (const Digest& digest : result.sources) line.append(" ").append(digest.ToHex());
  for (const Digest& digest : result.products) line.append(" ").append(digest.ToHex());
  for (const Effect& effect : result.effects) {
    line += fmt::format(" {} {} {} {} {}", effect.elements, effect.changed, effect.rounded,
                        std::bit_cast<std::uint64_t>(effect.change_squares),
                        std::bit_cast<std::uint64_t>(effect.before_squares));
  }
  for (const Found& found : result.found) {
    line += fmt::format(" {} {} {} {}", found.marked, found.seen,
                        std::bit_cast<std::uint64_t>(found.number),
                        std::bit_cast<std::uint64_t>(found.of));
  }
  return Checked(std::move(line));
}

std::string CommitLine(const std::vector<FileIdentity>& files) {
  std::string line(kCommit);
  for (const FileIdentity& file : files) line += fmt::format(" {} {}", file.device, file.inode);
  return Checked(std::move(line));
}

bool IsJournal(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(path, ignored)))
    return false;
  const std::optional<std::string> start = TextOf(path, kLooked);
  return start && (LooksLikeHeading(*start) || HasWholeLine(*start));
}

void RemoveJournal(const std::filesystem::path& path, bool sync) {
  if (IsJournal(path)) RemoveFile(path, sync);
}

}  // namespace weightsmith::internal
