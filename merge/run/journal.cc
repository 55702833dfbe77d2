#include "merge/run/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/append_file.h"
#include "core/io/file_lock.h"
#include "core/io/machine.h"
#include "core/io/output_target.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStamp = "weightsmith-partial-";
constexpr std::string_view kSuffix = ".journal";

/// "2-of-3"; nothing for another text.
std::optional<RunPart> PartNamed(std::string_view text) {
  constexpr std::string_view kOf = "-of-";
  const std::size_t of = text.find(kOf);
  if (of == std::string_view::npos) return std::nullopt;
  RunPart part;
  const auto read = [](std::string_view digits, std::uint32_t& number) {
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return end.ec == std::errc() && end.ptr == digits.data() + digits.size();
  };
  if (!read(text.substr(0, of), part.number) || !read(text.substr(of + kOf.size()), part.count)) {
    return std::nullopt;
  }
  return part;
}

/// The part that the journal `path` of an output is of; nothing: of a run that is not divided.
std::optional<RunPart> PartOfJournal(const fs::path& output, const fs::path& path) {
  const std::string name = path.filename().string();
  const std::size_t before = output.filename().string().size() + 1;
  if (name.size() <= before + kSuffix.size()) return std::nullopt;
  return PartNamed(std::string_view(name).substr(before, name.size() - before - kSuffix.size()));
}

/// The identity of the run that a partial output is of; empty where it has none.
std::string RunOfPartial(const fs::path& output) {
  const fs::path partial = fs::path(output).concat(".partial");
  std::error_code ignored;
  if (!fs::is_regular_file(fs::symlink_status(partial, ignored))) return {};
  constexpr std::uint64_t kStart = 128;
  std::string start;
  try {
    const auto file = OpenByteSource(partial, IoBackend::kRead);
    start = ReadText(*file, 0, std::min(file->size(), kStart));
  } catch (const Error&) {
    return {};  // another process has removed or renamed it
  }
  if (!start.starts_with(kStamp)) return {};
  const std::size_t begin = start.find(' ');
  const std::size_t end = start.find(' ', begin + 1);
  return end == std::string::npos ? "" : start.substr(begin + 1, end - begin - 1);
}

/// Nothing where another process keeps it locked. For a moment it is where one looks whether it is
/// (IsLocked), or is about to end.
std::optional<AppendFile> OpenPatiently(const fs::path& path) {
  constexpr int kLooks = 50;
  for (int look = 0; look < kLooks; ++look) {
    if (auto file = AppendFile::TryOpen(path)) return file;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return std::nullopt;
}

[[noreturn]] void ThrowWritten(const fs::path& path) {
  throw Error(ErrorCode::kFailed,
              fmt::format("another process is writing {}", Quote(path.string())), "Wait for it.");
}

}  // namespace

struct Journal::State {
  const Plan* plan = nullptr;
  fs::path path;  ///< of the one that is written
  RunFingerprint now;
  std::string boot;
  std::string run;
  bool exists = false;
  std::string difference;
  std::vector<JournalFile> members;  ///< of this run
  std::vector<FinishedTask> finished;
  std::vector<FileIdentity> committed;
  AppendFile own;

  const fs::path& output() const { return plan->output_files.front().path; }
  std::vector<JournalFile> ReadFiles() const;
  std::string ChooseRun(const std::vector<JournalFile>& files) const;
  void Unite();
};

std::vector<JournalFile> Journal::State::ReadFiles() const {
  std::vector<JournalFile> files;
  // Its own in any case: what has its place is to be noticed.
  if (auto read = ReadJournalFile(path, *plan, now)) files.push_back(*std::move(read));
  for (const fs::path& other : PathsBeside(output())) {
    if (other == path || !IsJournal(other)) continue;
    if (auto read = ReadJournalFile(other, *plan, now)) files.push_back(*std::move(read));
  }
  return files;
}

std::string Journal::State::ChooseRun(const std::vector<JournalFile>& files) const {
  const std::string stamped = RunOfPartial(output());
  if (!stamped.empty() && std::ranges::find(files, stamped, &JournalFile::run) != files.end()) {
    return stamped;
  }
  const auto ended =
      std::ranges::find_if(files, [](const auto& file) { return !file.committed.empty(); });
  if (ended != files.end()) return ended->run;
  const auto same = std::ranges::find_if(files, &JournalFile::ours);
  if (same != files.end()) return same->run;
  return files.empty() ? "" : files.front().run;
}

/// What the members have together.
void Journal::State::Unite() {
  finished.clear();
  committed.clear();
  std::vector<bool> known(plan->tasks.size());
  for (const JournalFile& file : members) {
    if (committed.empty()) committed = file.committed;
    for (const FinishedTask& task : file.finished) {
      if (!known[task.task]) finished.push_back(task);
      known[task.task] = true;
    }
  }
}

fs::path Journal::PathOf(const Plan& plan, const std::optional<RunPart>& part) {
  fs::path path = plan.output_files.front().path;
  if (part) path.concat(fmt::format(".{}-of-{}", part->number, part->count));
  return path.concat(kSuffix);
}

std::vector<fs::path> Journal::PathsBeside(const fs::path& output) {
  std::vector<fs::path> paths;
  std::error_code error;
  const fs::path whole = fs::path(output).concat(kSuffix);
  if (fs::exists(fs::symlink_status(whole, error))) paths.push_back(whole);
  fs::directory_iterator entries(FolderOf(output), error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    if (!name.starts_with(output.filename().string() + ".") || !name.ends_with(kSuffix)) continue;
    const fs::path path = output.parent_path() / name;
    if (PartOfJournal(output, path)) paths.push_back(path);
  }
  std::ranges::sort(paths);
  return paths;
}

Journal::Journal(const Plan& plan, bool effects, const std::optional<RunPart>& part)
    : state_(std::make_unique<State>()) {
  state_->plan = &plan;
  state_->path = PathOf(plan, part);
  state_->now = FingerprintOf(plan, effects);
  state_->boot = BootId().empty() ? "-" : BootId();
  Read();
}

Journal::~Journal() {
  if (state_ != nullptr) state_->own.RemoveEmpty();
}
Journal::Journal(Journal&&) noexcept = default;

void Journal::Read() {
  State& state = *state_;
  std::vector<JournalFile> files = state.ReadFiles();
  state.exists = !files.empty();
  state.run = state.ChooseRun(files);
  state.difference.clear();
  state.members.clear();
  for (JournalFile& file : files) {
    if (file.ours && file.run == state.run) {
      state.members.push_back(std::move(file));
    } else if (state.difference.empty()) {
      state.difference = file.difference;
    }
  }
  state.Unite();
}

bool Journal::exists() const {
  return state_->exists;
}
bool Journal::ours() const {
  return !state_->members.empty();
}
const std::string& Journal::difference() const {
  return state_->difference;
}
bool Journal::same_boot() const {
  return std::ranges::all_of(state_->members,
                             [&](const JournalFile& file) { return file.boot == state_->boot; });
}
const std::vector<FinishedTask>& Journal::finished() const {
  return state_->finished;
}
std::size_t Journal::own() const {
  const auto own = std::ranges::find(state_->members, state_->path, &JournalFile::path);
  return own == state_->members.end() ? 0 : own->finished.size();
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

bool Journal::Claim() {
  if (state_->own) return true;
  auto file = OpenPatiently(state_->path);
  if (!file) return false;
  state_->own = *std::move(file);
  return true;
}

std::optional<fs::path> Journal::OtherDivision() const {
  const fs::path& output = state_->output();
  const auto own = PartOfJournal(output, state_->path);
  for (const fs::path& path : PathsBeside(output)) {
    const auto part = PartOfJournal(output, path);
    if (part.has_value() == own.has_value() && (!part || part->count == own->count)) continue;
    if (IsLocked(path)) return path;
  }
  return std::nullopt;
}

void Journal::Keep(Which which,
                   const std::function<std::size_t(std::span<const FinishedTask>)>& intact) {
  for (JournalFile& file : state_->members) {
    const bool own = file.path == state_->path;
    if (which != Which::kAll && own != (which == Which::kOwn)) continue;
    const std::size_t kept = intact(file.finished);
    file.finished.resize(kept);
    file.ends.resize(kept + 1);
    file.committed.clear();
    // By its name: a part that waits to end the run has it locked, and writes no more.
    ShortenFile(file.path, file.ends.back());
  }
  state_->Unite();
}

void Journal::Start() {
  state_->members.clear();
  state_->Unite();
  state_->run = RandomIdentity();
  Continue();
}

void Journal::Continue() {
  State& state = *state_;
  if (!Claim()) ThrowWritten(state.path);
  const auto own = std::ranges::find(state.members, state.path, &JournalFile::path);
  state.own.Shorten(own == state.members.end() ? 0 : own->ends.back());
  if (own == state.members.end()) {
    state.own.Append(JournalHeading(state.run, state.boot, state.now));
  }
}

void Journal::Append(std::uint32_t task, const TaskResult& result) {
  state_->own.Append(JournalLine(task, result));
}

void Journal::BeginCommit(const std::vector<FileIdentity>& files, bool sync) {
  state_->own.Append(CommitLine(files));
  if (sync) state_->own.Sync();
}

void Journal::Remove() {
  RemoveOwn();
  for (const fs::path& path : PathsBeside(state_->output())) {
    std::error_code ignored;
    if (IsJournal(path)) fs::remove(path, ignored);
  }
}

void Journal::RemoveOwn() {
  if (state_->own) state_->own.Remove();
}

}  // namespace weightsmith::internal
