#include "merge/run/earlier_run.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "merge/run/commit.h"
#include "merge/run/read_back.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

/// The journals of this run, where there are some.
std::optional<Journal> OwnJournal(const Plan& plan, const RunOptions& options) {
  if (!CanGoOn(options) || plan.output_files.empty()) return std::nullopt;
  // Where there is none, what identifies the plan need not be computed.
  if (Journal::PathsBeside(plan.output_files.front().path).empty()) return std::nullopt;
  Journal journal(plan, options.effects, options.part);
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

/// REQUIRES: all tasks of a plan.
std::vector<TaskResult> InOrderOfTasks(const std::vector<FinishedTask>& finished) {
  std::vector<TaskResult> results(finished.size());
  for (const FinishedTask& task : finished) results[task.task] = task.result;
  return results;
}

}  // namespace

bool CanGoOn(const RunOptions& options) {
  return options.keep_partial && options.digests;
}

bool Trusted(const Journal& journal, const RunOptions& options) {
  // What was written before the machine went down may never have reached the disk.
  return options.trust_partial && journal.same_boot();
}

std::vector<std::shared_ptr<const ByteSource>> ReadersOf(const std::vector<OutputFile>& files) {
  std::vector<std::shared_ptr<const ByteSource>> readers;
  for (const OutputFile& file : files) {
    file.DropCache();
    readers.push_back(ReaderOf(file));
  }
  return readers;
}

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

std::size_t TasksLeft(const Plan& plan, const RunOptions& options) {
  const auto journal = OwnJournal(plan, options);
  return plan.tasks.size() - (journal ? journal->finished().size() : 0);
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
