#include "recipes/jobs/input_finder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/checkpoint.h"
#include "core/error.h"
#include "core/text.h"

namespace weightsmith {
namespace {

namespace fs = std::filesystem;

// Files and, for sets of shards, folders with the size of what is in them. What cannot be read is
// passed over: it is not there.
std::multimap<std::uint64_t, fs::path> IndexBySize(const std::vector<fs::path>& folders) {
  std::multimap<std::uint64_t, fs::path> files;
  for (const fs::path& folder : folders) {
    std::error_code error;
    constexpr auto kOptions = fs::directory_options::skip_permission_denied;
    for (fs::recursive_directory_iterator at(folder, kOptions, error), end; at != end;
         at.increment(error)) {
      if (error) break;
      const std::uint64_t size = at->is_regular_file(error) ? at->file_size(error) : 0;
      if (!error && size > 0) files.emplace(size, at->path());
    }
  }
  return files;
}

bool IsSharded(const RecordedInput& input) {
  return !input.file.ends_with(".safetensors");
}

std::string NameOf(const RecordedInput& input) {
  return input.component.empty() ? input.model : fmt::format("{}.{}", input.model, input.component);
}

}  // namespace

InputFinder::InputFinder(std::vector<fs::path> folders, std::map<std::string, fs::path> named)
    : folders_(std::move(folders)), named_(std::move(named)), by_size_(IndexBySize(folders_)) {}

std::vector<fs::path> InputFinder::Candidates(const RecordedInput& input) const {
  for (const std::string& name : {NameOf(input), input.model}) {
    if (const auto found = named_.find(name); found != named_.end()) return {found->second};
  }
  std::vector<fs::path> candidates;
  const auto [first, last] = by_size_.equal_range(input.size);
  for (auto at = first; at != last; ++at) candidates.push_back(at->second);
  if (IsSharded(input)) {
    for (const fs::path& folder : folders_) {
      if (fs::exists(folder / input.file)) candidates.push_back(folder / input.file);
    }
  }
  std::stable_partition(candidates.begin(), candidates.end(),
                        [&](const fs::path& path) { return path.filename() == input.file; });
  if (!candidates.empty()) return candidates;
  std::vector<std::string> looked_in;
  for (const fs::path& folder : folders_) looked_in.push_back(Quote(folder.string()));
  throw Error(ErrorCode::kInput,
              fmt::format("the input {} ({}, {}) is not in {}", Quote(NameOf(input)),
                          Quote(input.file), FormatBytes(input.size), fmt::join(looked_in, ", ")),
              {}, {Option::kModelPath, Option::kModelFolders, Option::kCheckFileOnly});
}

}  // namespace weightsmith
