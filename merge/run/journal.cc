#include "merge/run/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/append_file.h"
#include "core/io/machine.h"
#include "core/io/output_target.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kMagic = "weightsmith-journal-";
constexpr std::string_view kFormat = "weightsmith-journal-2";
constexpr std::string_view kStamp = "weightsmith-partial-";
constexpr std::string_view kCommit = "commit";
constexpr std::uint64_t kLooked =
    1 << 16;  ///< bytes by which a damaged journal is known from another file

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

std::string Line(std::size_t task, const TaskResult& result) {
  std::string line =
      fmt::format("{} {} {} {}", task, result.non_finite, result.bytes_read, result.bytes_written);
  for (const Digest& digest : result.sources) line += " " + digest.ToHex();
  for (const Digest& digest : result.products) line += " " + digest.ToHex();
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

/// Nothing where there is no file.
std::optional<std::string> ReadJournal(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) return std::nullopt;
  if (!IsJournal(path)) RefuseForeign(path);
  const auto file = OpenByteSource(path, IoBackend::kRead);
  return ReadText(*file, 0, file->size());
}

}  // namespace

struct Journal::State {
  std::filesystem::path path;
  RunFingerprint now;
  std::string boot;
  std::string run;
  bool exists = false;
  bool ours = false;
  bool same_boot = false;
  std::string difference;
  std::vector<FinishedTask> finished;
  std::vector<std::uint64_t> ends;  ///< of the heading and of every task's line, in the file
  std::vector<FileIdentity> committed;
  AppendFile file;

  std::string Heading() const;
  void ReadHeading(const std::string& line);
  void ReadLines(const std::string& text, const Plan& plan);
};

std::string Journal::State::Heading() const {
  return Checked(fmt::format("{} {} {} {} {} {} {}", kFormat, run, boot, now.program.ToHex(),
                             now.plan.ToHex(), now.inputs.ToHex(), now.outputs.ToHex()));
}

void Journal::State::ReadHeading(const std::string& line) {
  difference = "it is not whole";
  const auto body = Unchecked(line);
  if (!body) return;
  std::istringstream words(*body);
  std::string format;
  std::string their_boot;
  words >> format >> run >> their_boot;
  if (format != kFormat) {
    difference = "it was written by another version of the program";
    return;
  }
  RunFingerprint before;
  for (Digest* digest : {&before.program, &before.plan, &before.inputs, &before.outputs}) {
    const auto read = ReadDigest(words);
    if (!read) return;
    *digest = *read;
  }
  same_boot = their_boot == boot;
  ours = before == now;
  difference = ours ? "" : DifferenceOf(before, now);
}

void Journal::State::ReadLines(const std::string& text, const Plan& plan) {
  std::size_t at = text.find('\n');
  ReadHeading(text.substr(0, at));
  ours = ours && at != std::string::npos;
  if (!ours) return;
  ends.push_back(++at);
  std::vector<bool> known(plan.tasks.size());
  for (std::size_t end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    const auto body = Unchecked(text.substr(at, end - at));
    if (!body) return;
    if (body->starts_with(kCommit)) {
      committed = ParseCommit(*body);
      return;
    }
    auto task = ParseTask(*body, plan);
    if (!task || known[task->task]) return;
    known[task->task] = true;
    finished.push_back(std::move(*task));
    ends.push_back(end + 1);
  }
}

std::filesystem::path Journal::PathOf(const Plan& plan) {
  return std::filesystem::path(plan.output_files.front().path).concat(".journal");
}

Journal::Journal(std::filesystem::path path, const Plan& plan, bool effects)
    : state_(std::make_unique<State>()) {
  state_->path = std::move(path);
  state_->now = FingerprintOf(plan, effects);
  state_->boot = BootId().empty() ? "-" : BootId();
  const std::optional<std::string> text = ReadJournal(state_->path);
  state_->exists = text.has_value();
  if (text) state_->ReadLines(*text, plan);
}

Journal::~Journal() = default;
Journal::Journal(Journal&&) noexcept = default;

bool Journal::exists() const {
  return state_->exists;
}
bool Journal::ours() const {
  return state_->ours;
}
const std::string& Journal::difference() const {
  return state_->difference;
}
bool Journal::same_boot() const {
  return state_->same_boot;
}
const std::vector<FinishedTask>& Journal::finished() const {
  return state_->finished;
}
const std::vector<FileIdentity>& Journal::committed() const {
  return state_->committed;
}

std::string Journal::StampOf(std::size_t file) const {
  return fmt::format("{}2 {} {}\n", kStamp, state_->run, file);
}

std::string_view Journal::StampPrefix() {
  return kStamp;
}

void Journal::Start() {
  state_->finished.clear();
  state_->committed.clear();
  state_->run = RandomIdentity();
  state_->file = AppendFile::Create(state_->path);
  state_->file.Append(state_->Heading());
}

void Journal::Continue(std::size_t tasks) {
  state_->finished.resize(tasks);
  state_->committed.clear();
  state_->file = AppendFile::Open(state_->path, state_->ends[tasks]);
}

void Journal::Append(std::uint32_t task, const TaskResult& result) {
  state_->file.Append(Line(task, result));
}

void Journal::BeginCommit(const std::vector<FileIdentity>& files, bool sync) {
  std::string line(kCommit);
  for (const FileIdentity& file : files) line += fmt::format(" {} {}", file.device, file.inode);
  state_->file.Append(Checked(std::move(line)));
  if (sync) state_->file.Sync();
}

void Journal::Remove() {
  state_->file = {};
  std::error_code ignored;
  std::filesystem::remove(state_->path, ignored);
}

bool IsJournal(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(path, ignored)))
    return false;
  const auto file = OpenByteSource(path, IoBackend::kRead);
  const std::string start = ReadText(*file, 0, std::min<std::uint64_t>(file->size(), kLooked));
  return LooksLikeHeading(start) || HasWholeLine(start);
}

void RemoveJournal(const std::filesystem::path& path, bool sync) {
  if (IsJournal(path)) RemoveFile(path, sync);
}

}  // namespace weightsmith::internal
