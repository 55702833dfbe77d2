#include "merge/run/run_outputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "merge/run/commit.h"
#include "merge/run/read_back.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

/// Without digests nothing says whether a partial output is what was written.
bool CanGoOn(const RunOptions& options) {
  return options.keep_partial && options.digests;
}

bool Trusted(const Journal& journal, const RunOptions& options) {
  // What was written before the machine went down may never have reached the disk.
  return options.trust_partial && journal.same_boot();
}

/// The journal of this run, where one is there.
std::optional<Journal> OwnJournal(const Plan& plan, const RunOptions& options) {
  std::error_code ignored;
  if (!CanGoOn(options) || plan.output_files.empty()) return std::nullopt;
  const fs::path path = Journal::PathOf(plan);
  if (!fs::exists(fs::symlink_status(path, ignored))) return std::nullopt;
  Journal journal(path, plan, options.effects);
  if (!journal.ours()) return std::nullopt;
  return journal;
}

bool IsFile(const fs::path& path, const FileIdentity& expected, std::uint64_t size) {
  std::error_code ignored;
  if (!fs::is_regular_file(fs::symlink_status(path, ignored))) return false;
  const auto found = IdentifyFile(path);
  return found && found->SameFile(expected) && found->size == size;
}

bool EndsCommit(const Plan& plan, const Journal& journal) {
  return journal.committed().size() == plan.output_files.size() &&
         journal.finished().size() == plan.tasks.size();
}

/// A partial may be emptied where it is of a run of ours: stamped, sized and not yet written, with
/// this output's header, or with a journal. Another program's file may have the same name.
void ExpectOwn(const OutputFile& file, const OutputFilePlan& planned, bool has_journal) {
  constexpr std::size_t kLook = 64;
  const std::uint64_t size = file.identity().size;
  std::string start(std::min<std::uint64_t>(size, kLook), '\0');
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

/// REQUIRES: all tasks of a plan.
std::vector<TaskResult> InOrderOfTasks(const std::vector<FinishedTask>& finished) {
  std::vector<TaskResult> results(finished.size());
  for (const FinishedTask& task : finished) results[task.task] = task.result;
  return results;
}

std::vector<std::shared_ptr<const ByteSource>> Readers(const std::vector<OutputFile>& files) {
  std::vector<std::shared_ptr<const ByteSource>> readers;
  for (const OutputFile& file : files) {
    file.DropCache();
    readers.push_back(ReaderOf(file));
  }
  return readers;
}

}  // namespace

OutputOptions OptionsOf(const Plan& plan, const OutputFilePlan& file, const RunOptions& options) {
  const OutputSpec& spec = plan.outputs[file.output].spec;
  // The folders of a pipeline are part of what is written.
  const bool folder = FormOf(spec.layout, spec.split, spec.path) != FileForm::kOne;
  return {.overwrite = options.overwrite,
          .make_folders = options.make_folders || folder,
          .sync = options.sync};
}

std::vector<bool> OutputsInPlace(const Plan& plan, const RunOptions& options) {
  const auto journal = OwnJournal(plan, options);
  if (!journal || !EndsCommit(plan, *journal)) return {};
  std::vector<bool> in_place;
  for (std::size_t f = 0; f < plan.output_files.size(); ++f) {
    const OutputFilePlan& file = plan.output_files[f];
    in_place.push_back(IsFile(file.path, journal->committed()[f], file.layout.file_size));
  }
  return in_place;
}

std::optional<Resumption> FindResumption(const Plan& plan, const RunOptions& options) {
  const auto journal = OwnJournal(plan, options);
  if (!journal || journal->finished().empty()) return std::nullopt;
  for (std::size_t f = 0; f < plan.output_files.size(); ++f) {
    const OutputFilePlan& file = plan.output_files[f];
    const fs::path partial = fs::path(file.path).concat(".partial");
    if (EndsCommit(plan, *journal)) {
      const FileIdentity& known = journal->committed()[f];
      if (!IsFile(file.path, known, file.layout.file_size) &&
          !IsFile(partial, known, file.layout.file_size)) {
        return std::nullopt;
      }
      continue;
    }
    const auto identity = IdentifyFile(partial);
    if (!identity || identity->size != file.layout.file_size) return std::nullopt;
    const std::string stamp = journal->StampOf(f);
    const auto source = OpenByteSource(partial, IoBackend::kRead);
    if (ReadText(*source, 0, stamp.size()) != stamp) return std::nullopt;
  }
  const std::vector<FinishedTask>& tasks = journal->finished();
  return Resumption{tasks.size(), Trusted(*journal, options) ? 0 : BytesOfProducts(plan, tasks)};
}

RunOutputs::RunOutputs(const Plan& plan, const RunOptions& options)
    : plan_(&plan), options_(&options), kept_(CanGoOn(options)) {
  for (const OutputFilePlan& file : plan.output_files) {
    files_.push_back(
        OutputFile::OpenAsFound(file.path, file.layout.file_size, OptionsOf(plan, file, options)));
    ExpectOwn(
        files_.back(), file,
        IsJournal(Journal::PathOf(plan)) || IsJournal(fs::path(file.path).concat(".journal")));
  }
  const std::size_t reusable = CountReusable();
  if (reusable == 0) {
    Start();
    return;
  }
  for (OutputFile& file : files_) file.Continue();
  journal_->Continue(reusable);
  resumed_ = true;
  Note(fmt::format("going on from an interrupted run: {} of {} tensors are done", reusable,
                   plan.tasks.size()));
}

/// Tasks that need not be computed again.
std::size_t RunOutputs::CountReusable() {
  if (!kept_) return 0;
  journal_.emplace(Journal::PathOf(*plan_), *plan_, options_->effects);
  if (!journal_->exists()) return 0;
  if (!journal_->ours()) {
    Note(fmt::format("an interrupted run was there and is not continued: {}; starting afresh",
                     journal_->difference()));
    return 0;
  }
  for (std::size_t f = 0; f < files_.size(); ++f) {
    if (files_[f].Holds(journal_->StampOf(f))) continue;
    Note(fmt::format("{} is not what the interrupted run wrote; starting afresh",
                     Quote(files_[f].partial().string())));
    return 0;
  }
  const std::vector<FinishedTask>& finished = journal_->finished();
  if (Trusted(*journal_, *options_)) return finished.size();
  const std::size_t intact = CountIntact(*plan_, finished, Readers(files_), options_->cancel);
  if (intact < finished.size()) {
    Note(
        fmt::format("{} of {} finished tensors are not on disk as they were written, and are "
                    "to be computed again",
                    finished.size() - intact, finished.size()));
  }
  return intact;
}

void RunOutputs::Note(const std::string& line) const {
  if (options_->note) options_->note(line);
}

void RunOutputs::Start() {
  // First nothing may be left that says what the partials hold, then they may change.
  for (const OutputFilePlan& file : plan_->output_files) {
    RemoveJournal(fs::path(file.path).concat(".journal"), options_->sync);
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

void RunOutputs::Discard() {
  if (journal_) journal_->Remove();
  journal_.reset();
  kept_ = false;
  for (OutputFile& file : files_) file.Discard();
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

std::optional<Report> FinishCommit(const Plan& plan, const RunOptions& options) {
  std::optional<Journal> journal = OwnJournal(plan, options);
  if (!journal || !EndsCommit(plan, *journal)) return std::nullopt;
  std::vector<OutputFile> partials;
  partials.reserve(plan.output_files.size());
  std::vector<OutputFile*> files;
  std::vector<std::shared_ptr<const ByteSource>> readers;
  for (std::size_t f = 0; f < plan.output_files.size(); ++f) {
    const OutputFilePlan& file = plan.output_files[f];
    const FileIdentity& known = journal->committed()[f];
    if (IsFile(file.path, known, file.layout.file_size)) {
      files.push_back(nullptr);
      readers.push_back(OpenByteSource(file.path, IoBackend::kRead));
      readers.back()->DropCache(0, 0);
      continue;
    }
    if (!IsFile(fs::path(file.path).concat(".partial"), known, file.layout.file_size)) {
      return std::nullopt;
    }
    partials.push_back(
        OutputFile::OpenAsFound(file.path, file.layout.file_size, OptionsOf(plan, file, options)));
    // Another run may have given it its name between the two.
    const FileIdentity opened = partials.back().identity();
    if (!opened.SameFile(known) || opened.size != file.layout.file_size) return std::nullopt;
    partials.back().DropCache();
    files.push_back(&partials.back());
    readers.push_back(ReaderOf(partials.back()));
  }
  const std::vector<FinishedTask>& finished = journal->finished();
  if (!Trusted(*journal, options) &&
      CountIntact(plan, finished, readers, options.cancel) < finished.size()) {
    return std::nullopt;
  }
  if (options.note) options.note("the interrupted run had finished; its outputs get their names");
  Report report = MakeReport(plan, InOrderOfTasks(finished), options.by_tensor);
  WriteHeaders(plan, report, files);
  try {
    SyncOutputs(files);
  } catch (const Error&) {
    journal->Remove();
    for (OutputFile& file : partials) file.Discard();
    throw;
  }
  PublishOutputs(plan, options, files);
  journal->Remove();
  report.resumed = true;
  return report;
}

}  // namespace weightsmith::internal
