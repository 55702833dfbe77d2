#include "core/formats/torch/scan_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <system_error>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/safetensors/reader.h"
#include "core/formats/safetensors/sharded.h"
#include "core/formats/torch/other_readings.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepestFolder = 16;
constexpr std::array<std::string_view, 11> kModelSuffixes{
    ".safetensors", ".sft",  ".ckpt", ".pt",     ".pth", ".pt2",
    ".bin",         ".gguf", ".pkl",  ".pickle", ".tar"};

/// By its name, or because torch.load would take it for something of its own.
bool CouldBeModel(const fs::path& path) {
  const std::string suffix = Lowercase(path.extension().string());
  if (std::ranges::find(kModelSuffixes, suffix) != kModelSuffixes.end()) return true;
  const auto file = OpenByteSource(path, IoBackend::kRead);
  const std::string head = ReadHead(*file);
  if (suffix == ".json")
    return LooksLikeShardIndex(head) && path.stem().string().find(".index") != std::string::npos;
  return head.starts_with("PK\x03\x04") || head.starts_with('\x80') || BeginsAsTar(head) ||
         !CodeFromFirstByte(*file).empty();
}

class PathScanner {
 public:
  std::vector<ScannedFile> Run(const fs::path& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
      Folder(path);
    } else {
      One(path);
    }
    return std::move(scanned_);
  }

 private:
  void One(const fs::path& path) {
    if (!seen_.insert(path.lexically_normal()).second) return;
    scanned_.push_back({path.string(), ScanFile(path)});
    if (scanned_.back().result.format == "sharded") Shards(path);
  }

  void Shards(const fs::path& index) {
    const auto file = OpenByteSource(index, IoBackend::kRead);
    ShardIndex read;
    try {
      read =
          ParseShardIndex(ReadText(*file, 0, std::min<std::uint64_t>(file->size(), kMaxIndexSize)));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInput) throw;
      return;  // its own result says what is wrong with it
    }
    for (const std::string& name : read.shards) {
      const fs::path shard = index.parent_path() / name;
      if (IdentifyFile(shard)) {
        One(shard);
      } else if (seen_.insert(shard.lexically_normal()).second) {
        ScanResult result;
        result.missing = true;
        result.problems.push_back(
            fmt::format("it is missing, and {} names it", Quote(index.filename().string())));
        scanned_.push_back({shard.string(), std::move(result)});
      }
    }
  }

  void Folder(const fs::path& folder) {
    std::set<fs::path> files;
    std::error_code error;
    fs::recursive_directory_iterator it(folder, error);
    for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
      std::error_code ignored;
      if (it.depth() > kDeepestFolder) it.disable_recursion_pending();
      if (it->is_regular_file(ignored) && CouldBeModel(it->path())) files.insert(it->path());
    }
    if (error) {
      throw Error(ErrorCode::kInput, fmt::format("cannot list the folder {}: {}",
                                                 Quote(folder.string()), error.message()));
    }
    if (files.empty()) {
      throw Error(
          ErrorCode::kInput,
          fmt::format("the folder {} holds no file that could be a model", Quote(folder.string())));
    }
    for (const fs::path& file : files) One(file);
  }

  std::set<fs::path> seen_;
  std::vector<ScannedFile> scanned_;
};

}  // namespace

std::vector<ScannedFile> ScanPath(const fs::path& path) {
  return PathScanner().Run(path);
}

}  // namespace weightsmith::internal
