#include "merge/run/run_outputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "merge/run/commit.h"
#include "merge/run/earlier_run.h"
#include "merge/run/read_back.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto kLook = std::chrono::milliseconds(10);  ///< between two looks at a lock
/// How long a part waits for another one to start the outputs, or to end the run.
constexpr auto kPatience = std::chrono::seconds(60);
/// How often a part looks at outputs that others share, but not for a run of its own.
constexpr int kStrangeLooks = 50;

/// A partial may be emptied where it is of a run of ours: stamped, sized and not yet written, with
/// this output's header, or with a journal. Another program's file may have the same name.
void ExpectOwn(const OutputFile& file, const OutputFilePlan& planned, bool has_journal) {
  constexpr std::size_t kStart = 64;
  const std::uint64_t size = file.identity().size;
  std::string start(std::min<std::uint64_t>(size, kStart), '\0');
  file.Read(0, std::as_writable_bytes(std::span(start)));
  const auto same = std::min(start.size(), sizeof(std::uint64_t));
  const bool ours = has_journal || Journal::StampPrefix().starts_with(start) ||
                    start.starts_with(Journal::StampPrefix()) ||
                    start.find_first_not_of('\0') == std::string::npos ||
                    planned.layout.header.starts_with(std::string_view(start).substr(0, same));
  if (ours) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("{} exists and is no partial output of an interrupted run",
                          Quote(file.partial().string())),
              "Move it away, or choose another output.");
}

bool AnyJournal(const fs::path& output) {
  return std::ranges::any_of(Journal::PathsBeside(output), IsJournal);
}

Error Busy(const fs::path& partial, const std::string& how) {
  return Error(ErrorCode::kFailed,
               fmt::format("another process is writing {}{}", Quote(partial.string()), how),
               "Wait for it, or choose another output.");
}

}  // namespace

RunOutputs::RunOutputs(const Plan& plan, const RunOptions& options)
    : plan_(&plan), options_(&options), kept_(CanGoOn(options)) {
  if (options.part) {
    OpenAsPart();
  } else {
    OpenAlone();
  }
}

RunOutputs::~RunOutputs() {
  Close();
}

/// The lock of the first partial goes last: with it another process takes all of them.
void RunOutputs::Close() {
  journal_.reset();
  while (!files_.empty()) files_.pop_back();
}

void RunOutputs::OpenAlone() {
  for (const OutputFilePlan& file : plan_->output_files) {
    files_.push_back(OutputFile::OpenAsFound(file.path, file.layout.file_size,
                                             OptionsOf(*plan_, file, *options_)));
  }
  ExpectOwnPartials();
  const std::optional<std::string> obstacle = Obstacle();
  if (!obstacle) KeepIntact(Journal::Which::kAll);
  if (obstacle || journal_->finished().empty()) {
    if (obstacle && !obstacle->empty()) Note(*obstacle + "; starting afresh");
    Start();
    return;
  }
  for (OutputFile& file : files_) file.Continue();
  journal_->Continue();
  resumed_ = true;
  Note(fmt::format("going on from an interrupted run: {} of {} tensors are done",
                   journal_->finished().size(), plan_->tasks.size()));
}

/// Opens all partials, or none where another process excludes that.
bool RunOutputs::TryOpen(FileLock lock) {
  for (const OutputFilePlan& file : plan_->output_files) {
    auto opened = OutputFile::TryOpenAsFound(file.path, file.layout.file_size,
                                             OptionsOf(*plan_, file, *options_), lock);
    if (!opened) {
      Close();
      return false;
    }
    files_.push_back(*std::move(opened));
  }
  return true;
}

void RunOutputs::ExpectOwnPartials() const {
  const bool first = AnyJournal(plan_->output_files.front().path);
  for (std::size_t f = 0; f < files_.size(); ++f) {
    const OutputFilePlan& file = plan_->output_files[f];
    ExpectOwn(files_[f], file, first || AnyJournal(file.path));
  }
}

/// Reads the journals and says why they cannot be gone on from; empty: there are none. Nothing:
/// they can.
std::optional<std::string> RunOutputs::Obstacle() {
  if (!kept_) return "";
  journal_.emplace(*plan_, options_->effects, options_->part);
  if (!journal_->exists()) return "";
  if (!journal_->ours()) {
    return fmt::format("an interrupted run was there and is not continued: {}",
                       journal_->difference());
  }
  for (std::size_t f = 0; f < files_.size(); ++f) {
    if (files_[f].Holds(journal_->StampOf(f))) continue;
    return fmt::format("{} is not what the interrupted run wrote",
                       Quote(files_[f].partial().string()));
  }
  return std::nullopt;
}

/// Leaves in these journals what is on disk as it was written.
void RunOutputs::KeepIntact(Journal::Which which) {
  std::size_t finished = 0;
  std::size_t intact = 0;
  const bool trusted = Trusted(*journal_, *options_);
  const auto readers =
      trusted ? std::vector<std::shared_ptr<const ByteSource>>() : ReadersOf(files_);
  journal_->Keep(which, [&](std::span<const FinishedTask> tasks) {
    const std::size_t kept =
        trusted ? tasks.size() : CountIntact(*plan_, tasks, readers, options_->cancel);
    finished += tasks.size();
    intact += kept;
    return kept;
  });
  if (intact == finished) return;
  Note(
      fmt::format("{} of {} finished tensors are not on disk as they were written, and are to be "
                  "computed again",
                  finished - intact, finished));
}

void RunOutputs::Note(const std::string& line) const {
  if (options_->note) options_->note(line);
}

void RunOutputs::Start() {
  // First nothing may be left that says what the partials hold, then they may change.
  for (const OutputFilePlan& file : plan_->output_files) {
    for (const fs::path& path : Journal::PathsBeside(file.path)) {
      RemoveJournal(path, options_->sync);
    }
  }
  try {
    if (kept_) journal_->Start();
    for (std::size_t f = 0; f < files_.size(); ++f) {
      files_[f].Begin(kept_ ? journal_->StampOf(f) : "");
    }
  } catch (const Error&) {
    Discard();
    throw;
  }
}

void RunOutputs::OpenAsPart() {
  const fs::path& output = plan_->output_files.front().path;
  const fs::path partial = fs::path(output).concat(".partial");
  const std::optional<FileIdentity> before = IdentifyFile(output);
  const Clock::time_point start = Clock::now();
  int strange = 0;
  while (true) {
    std::optional<std::string> obstacle;
    if (TryOpen(FileLock::kAlone)) {
      const std::optional<FileIdentity> now = IdentifyFile(output);
      if (now && (!before || !now->SameFile(*before))) {
        throw Error(ErrorCode::kUsage,
                    fmt::format("{} has appeared in the meantime", Quote(output.string())));
      }
      SetUp();
      if (Share()) break;
    } else if (TryOpen(FileLock::kShared)) {
      obstacle = Obstacle();
      if (!obstacle) {
        Join();
        break;
      }
    }
    const std::string why = journal_ && !journal_->ours() ? journal_->difference() : "";
    Close();
    // Of another run, unless the one that shared it has ended between the two looks.
    if (obstacle && ++strange == kStrangeLooks) {
      throw Busy(partial, fmt::format(" for another run{}{}", why.empty() ? "" : ": ", why));
    }
    if (IsLocked(Journal::PathOf(*plan_))) {
      throw Busy(partial, ", in a run that is not divided");
    }
    if (Clock::now() - start > kPatience) {
      throw Busy(partial, "");
    }
    if (Cancelled()) throw Error(ErrorCode::kInterrupted, "interrupted");
    std::this_thread::sleep_for(kLook);
  }
  shared_ = true;
  KeepOwn();
}

/// Of a part that has the outputs alone: makes of them what other parts can join.
void RunOutputs::SetUp() {
  ExpectOwnPartials();
  const std::optional<std::string> obstacle = Obstacle();
  if (obstacle) {
    if (!obstacle->empty()) Note(*obstacle + "; starting afresh");
    Start();
    return;
  }
  for (OutputFile& file : files_) file.Continue();
  // Cuts off what is no whole line, and a commit that was not reached.
  journal_->Keep(Journal::Which::kAll,
                 [](std::span<const FinishedTask> tasks) { return tasks.size(); });
  journal_->Continue();
}

/// Of a part that shares outputs which another one has set up.
void RunOutputs::Join() {
  const std::string partial = files_.front().partial().string();
  if (!journal_->Claim()) {
    throw Busy(partial, fmt::format(": part {} of {} is being computed", options_->part->number,
                                    options_->part->count));
  }
  if (const auto other = journal_->OtherDivision()) {
    throw Busy(partial, fmt::format(", and not in {} parts: it has {}", options_->part->count,
                                    Quote(other->string())));
  }
  for (OutputFile& file : files_) file.Continue();
  // Until it was claimed, another process may have written it.
  journal_->Read();
  journal_->Continue();
}

/// Lets other parts join; false where a run came between.
bool RunOutputs::Share() {
  return std::ranges::all_of(files_, [](OutputFile& file) { return file.Lock(FileLock::kShared); });
}

/// What others have done is looked at by the part that ends the run.
void RunOutputs::KeepOwn() {
  if (journal_->own() == 0) return;
  KeepIntact(Journal::Which::kOwn);
  resumed_ = journal_->own() > 0;
  if (resumed_) {
    Note(fmt::format("going on from an interrupted part: {} of {} tensors are done",
                     journal_->own(), plan_->tasks.size()));
  }
}

bool RunOutputs::Cancelled() const {
  return options_->cancel != nullptr && options_->cancel->load();
}

PartEnd RunOutputs::EndPart() {
  journal_->Read();
  if (journal_->finished().size() < plan_->tasks.size()) {
    for (OutputFile& file : files_) file.Flush([this] { return !Cancelled(); });
    return PartEnd::kLeft;
  }
  WaitAlone();
  const OutputFile& first = files_.front();
  const std::optional<FileIdentity> named = IdentifyFile(first.target());
  if (named && named->SameFile(first.identity())) return PartEnd::kEnded;
  // While it waited, another run may have come between.
  for (std::size_t f = 0; f < files_.size(); ++f) {
    if (files_[f].HasName() && files_[f].Holds(journal_->StampOf(f))) continue;
    throw Error(ErrorCode::kFailed,
                fmt::format("another process has removed or replaced {}, which this part wrote",
                            Quote(files_[f].partial().string())));
  }
  journal_->Read();
  shared_ = false;
  KeepIntact(Journal::Which::kOthers);
  return PartEnd::kOurs;
}

/// All tasks are done: other parts are about to see that, one of them ends the run.
void RunOutputs::WaitAlone() {
  while (!files_.front().Lock(FileLock::kAlone)) {
    if (Cancelled()) throw Error(ErrorCode::kInterrupted, "interrupted");
    std::this_thread::sleep_for(kLook);
  }
}

void RunOutputs::Discard() {
  if (shared_) return Withdraw();
  if (journal_) journal_->Remove();
  journal_.reset();
  kept_ = false;
  for (OutputFile& file : files_) file.Discard();
}

/// Other parts keep what they have done, and the partials where there are some.
void RunOutputs::Withdraw() {
  journal_->RemoveOwn();
  journal_.reset();
  kept_ = false;
  const bool alone = files_.front().Lock(FileLock::kAlone) && files_.front().HasName();
  if (alone && !AnyJournal(files_.front().target())) {
    for (OutputFile& file : files_) file.Discard();
  }
  Close();
}

void RunOutputs::Commit(const Report& report) {
  std::vector<OutputFile*> files;
  std::vector<FileIdentity> identities;
  try {
    for (OutputFile& file : files_) {
      file.Flush([&] { return options_->cancel == nullptr || !options_->cancel->load(); });
      files.push_back(&file);
      identities.push_back(file.identity());
    }
  } catch (const Error& error) {
    // After a failed sync the system has dropped pages that it could not write: what is read back
    // now says nothing of the disk.
    if (error.code() != ErrorCode::kInterrupted) Discard();
    throw;
  }
  const bool several = !EndsInOneStep(*plan_);
  if (journal_) journal_->BeginCommit(identities, options_->sync && several);
  committing_ = true;
  WriteHeaders(*plan_, report, files);
  try {
    SyncOutputs(files);
  } catch (const Error&) {
    Discard();
    throw;
  }
  PublishOutputs(*plan_, *options_, files);
  if (journal_) journal_->Remove();
}

}  // namespace weightsmith::internal
