#include "merge/run/touched_paths.h"

#include <fmt/format.h>

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/hash_cache.h"
#include "core/io/output_file.h"
#include "merge/run/earlier_run.h"
#include "merge/run/journal.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

fs::path With(const fs::path& path, std::string_view suffix) {
  return fs::path(path).concat(suffix);
}

/// Which file a path names: an existing one by the system's own numbers, one that is to be made by
/// those of the nearest folder and the names below it.
struct FileKey {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::string below;

  auto operator<=>(const FileKey&) const = default;
};

FileKey KeyOf(const fs::path& path) {
  fs::path existing = path.lexically_normal();
  fs::path below;
  while (true) {
    const auto found = IdentifyFile(existing.empty() ? fs::path(".") : existing);
    if (found) return {found->device, found->inode, below.string()};
    const fs::path name = existing.has_filename() ? existing.filename() : fs::path();
    if (!name.empty()) below = below.empty() ? name : name / below;
    if (existing.empty() || existing == existing.parent_path()) return {0, 0, below.string()};
    existing = existing.parent_path();
  }
}

bool IsConfiguration(const std::string& name) {
  return name.ends_with("config.json") || name.ends_with("model_index.json") ||
         (name.ends_with(".json") && name.find(".index.") != std::string::npos);
}

/// What a model's folder is read by, beside its weights.
void AddFolder(const fs::path& folder, bool with_folders, std::vector<TouchedPath>& paths) {
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    std::error_code ignored;
    if (with_folders && entries->is_directory(ignored)) AddFolder(entries->path(), false, paths);
    if (!IsConfiguration(entries->path().filename().string())) continue;
    paths.push_back({entries->path(), "configuration of an input", false});
  }
}

void AddInputs(const Plan& plan, std::vector<TouchedPath>& paths) {
  for (const auto& file : plan.files) {
    if (file->descriptor() >= 0) paths.push_back({file->path(), "input", false});
  }
  for (const Model& model : plan.models) {
    for (const Model::Part& part : model.parts) {
      const fs::path& path = part.checkpoint->path();
      std::error_code ignored;
      if (fs::is_directory(path, ignored)) {
        AddFolder(path, true, paths);
      } else if (fs::is_regular_file(path, ignored)) {
        paths.push_back({path, "input", false});  // an index of shards is no file of the plan
      }
      if (model.adapter != nullptr && model.adapter->peft.file) {
        paths.push_back({*model.adapter->peft.file, "configuration of an adapter", false});
      }
    }
  }
  for (const SideFile& text : plan.texts_read) paths.push_back({text.path, text.role, false});
}

void AddWritten(const fs::path& path, const std::string& role, std::vector<TouchedPath>& paths) {
  paths.push_back({path, role, true});
  paths.push_back({With(path, ".partial"), fmt::format("partial file of the {}", role), true});
}

/// Its own, and those of other parts: the run that ends all of them removes them.
void AddJournals(const Plan& plan, const RunOptions& options, std::vector<TouchedPath>& paths) {
  if (plan.output_files.empty()) return;
  std::set<fs::path> journals{Journal::PathOf(plan), Journal::PathOf(plan, options.part)};
  for (const fs::path& path : Journal::PathsBeside(plan.output_files.front().path)) {
    if (IsJournal(path)) journals.insert(path);
  }
  for (const fs::path& path : journals) paths.push_back({path, "journal", true});
}

void AddOutputs(const Plan& plan, const RunOptions& options, std::vector<TouchedPath>& paths) {
  for (const OutputFilePlan& file : plan.output_files) AddWritten(file.path, "output", paths);
  AddJournals(plan, options, paths);
  for (const OutputPlan& output : plan.outputs) {
    if (output.index) AddWritten(*output.index, "index", paths);
    for (const FileCopy& copy : output.copies) {
      paths.push_back({copy.from, "configuration to be copied", false});
    }
    for (const FileSet::Text& text : output.texts) {
      AddWritten(output.text_folder / text.path, "configuration", paths);
    }
  }
  if (options.report) AddWritten(*options.report, "report", paths);
}

void CheckIdentities(const std::vector<TouchedPath>& paths) {
  std::map<FileKey, const TouchedPath*> seen;
  for (const TouchedPath& path : paths) {
    const auto [known, added] = seen.emplace(KeyOf(path.path), &path);
    const TouchedPath& other = *known->second;
    if (added || !path.written) continue;
    throw Error(ErrorCode::kUsage,
                fmt::format("the {} {} is the {} {}", path.role, Quote(path.path.string()),
                            other.role, Quote(other.path.string())),
                other.written ? "Give each file a name of its own."
                              : "Write to another name: what is read is never overwritten.");
  }
}

void CheckTargets(const Plan& plan, const RunOptions& options) {
  // A run that was killed while its outputs got their names has some of them in place.
  const std::vector<bool> in_place = OutputsInPlace(plan, options);
  const bool committing = !in_place.empty();
  for (std::size_t f = 0; f < plan.output_files.size(); ++f) {
    const OutputFilePlan& file = plan.output_files[f];
    OutputOptions own = OptionsOf(plan, file, options);
    own.overwrite |= committing && in_place[f];
    const OutputSpec& spec = plan.outputs[file.output].spec;
    if (FormOf(spec.layout, spec.split, spec.path) != FileForm::kOne) {
      ExpectFolderAbove(spec.path, options);
    }
    ExpectWritable(file.path, own);
  }
  // Their folder is that of the weights, or in it.
  const OutputOptions beside{.overwrite = options.overwrite || committing, .make_folders = true};
  for (const OutputPlan& output : plan.outputs) {
    if (output.index) ExpectWritable(*output.index, beside);
    for (const FileSet::Text& text : output.texts) {
      ExpectWritable(output.text_folder / text.path, beside);
    }
  }
  if (options.report) {
    ExpectWritable(*options.report,
                   {.overwrite = options.overwrite, .make_folders = options.make_folders});
  }
}

}  // namespace

std::vector<TouchedPath> TouchedPaths(const Plan& plan, const RunOptions& options) {
  std::vector<TouchedPath> paths;
  AddInputs(plan, paths);
  if (const auto cache = HashCache().path()) paths.push_back({*cache, "cache of hashes", false});
  AddOutputs(plan, options, paths);
  return paths;
}

void ExpectFolderAbove(const fs::path& folder, const RunOptions& options) {
  if (options.make_folders) return;
  const fs::path itself = folder.has_filename() ? folder : folder.parent_path();
  const fs::path above = itself.has_parent_path() ? itself.parent_path() : fs::path(".");
  std::error_code error;
  if (fs::exists(above, error) || error) return;
  throw Error(ErrorCode::kUsage, fmt::format("the folder {} does not exist", Quote(above.string())),
              {}, {Option::kMakeFolders});
}

void CheckPaths(const Plan& plan, const RunOptions& options) {
  CheckIdentities(TouchedPaths(plan, options));
  CheckTargets(plan, options);
}

}  // namespace weightsmith::internal
