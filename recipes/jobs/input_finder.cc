#include "recipes/jobs/input_finder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/byte_source.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;
using FilesBySize = std::multimap<std::uint64_t, fs::path>;

using FileNumber = std::pair<std::uint64_t, std::uint64_t>;  // device, inode

FileNumber NumberOf(const FileIdentity& file) {
  return {file.device, file.inode};
}

// Symlinks are followed. A folder that was seen already is left out, so that loops end; what cannot
// be read is not there.
void AddFiles(const fs::path& folder, std::set<FileNumber>& seen, FilesBySize& files) {
  const auto identity = IdentifyFile(folder);
  if (!identity || !seen.insert(NumberOf(*identity)).second) return;
  std::error_code error;
  std::set<fs::path> entries;  // in an order that does not depend on the file system
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    entries.insert(at->path());
  }
  for (const fs::path& path : entries) {
    const fs::file_status status = fs::status(path, error);
    if (error) continue;
    if (fs::is_directory(status)) AddFiles(path, seen, files);
    if (!fs::is_regular_file(status)) continue;
    const std::uint64_t size = fs::file_size(path, error);
    if (!error && size > 0) files.emplace(size, path);
  }
}

FilesBySize IndexBySize(const std::vector<fs::path>& folders) {
  FilesBySize files;
  std::set<FileNumber> seen;
  for (const fs::path& folder : folders) AddFiles(folder, seen, files);
  return files;
}

bool IsSharded(const RecordedInput& input) {
  return !input.file.ends_with(".safetensors");
}

// The first of each file that has several names.
std::vector<fs::path> EachOnce(const std::vector<fs::path>& paths) {
  std::vector<fs::path> once;
  std::set<FileNumber> seen;
  for (const fs::path& path : paths) {
    const auto identity = IdentifyFile(path);
    if (identity && seen.insert(NumberOf(*identity)).second) once.push_back(path);
  }
  return once;
}

}  // namespace

std::optional<fs::path> InputFinder::Named(const RecordedInput& input) const {
  for (const std::string& name : {input.Name(), input.model}) {
    if (const auto found = named_.find(name); found != named_.end()) return found->second;
  }
  return std::nullopt;
}

std::vector<fs::path> InputFinder::Candidates(const RecordedInput& input) {
  if (!by_size_) by_size_ = IndexBySize(folders_);
  std::vector<fs::path> candidates;
  const auto [first, last] = by_size_->equal_range(input.size);
  for (auto at = first; at != last; ++at) candidates.push_back(at->second);
  if (IsSharded(input)) {
    for (const fs::path& folder : folders_) {
      std::error_code error;
      if (fs::exists(folder / input.file, error)) candidates.push_back(folder / input.file);
    }
  }
  std::stable_partition(candidates.begin(), candidates.end(),
                        [&](const fs::path& path) { return path.filename() == input.file; });
  return EachOnce(candidates);
}

MissingFile InputFinder::NotFound(const RecordedInput& input,
                                  const std::vector<fs::path>& seen) const {
  std::vector<std::string> looked_in;
  for (const fs::path& folder : folders_) looked_in.push_back(Quote(folder.string()));
  std::string others;
  for (const fs::path& path : seen) {
    if (!others.empty()) others += ", ";
    others += Quote(path.string());
  }
  if (!others.empty()) others = fmt::format("; of its size, but with other contents: {}", others);
  return MissingFile(
      fmt::format("the input {} ({}, {}) is not in {}{}", Quote(input.Name()), Quote(input.file),
                  FormatBytes(input.size), fmt::join(looked_in, ", "), others),
      {}, {Option::kModelPath, Option::kModelFolders, Option::kCheckFileOnly});
}

void InputFinder::ExpectKnown(const std::vector<RecordedInput>& inputs) const {
  std::vector<std::string> known;
  for (const RecordedInput& input : inputs) {
    for (const std::string& name : {input.model, input.Name()}) {
      if (std::ranges::find(known, name) == known.end()) known.push_back(name);
    }
  }
  for (const auto& [name, path] : named_) {
    if (std::ranges::find(known, name) != known.end()) continue;
    throw Error(
        ErrorCode::kUsage,
        fmt::format("the recorded recipe has no input {}{}", Quote(name), DidYouMean(name, known)),
        fmt::format("Its inputs are {}.", fmt::join(known, ", ")));
  }
}

}  // namespace weightsmith::internal
