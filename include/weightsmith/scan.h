// Whether loading a file with Python would be safe. Nothing of it is executed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace weightsmith {

/// What loading a file would import or call.
struct ScannedGlobal {
  std::string name;    ///< "os.system"
  std::string safety;  ///< "safe", "unknown", "dangerous"
};

struct ScanResult {
  std::filesystem::path path;
  bool safe = false;
  /// "safe", "dangerous", "ambiguous", "unknown code", "malformed", "missing".
  std::string verdict;
  /// "safetensors", "sharded", "torch-zip", "torch-legacy", "pickle", "tar", "gguf", "unknown".
  std::string format;
  std::vector<std::string> problems;     ///< what no program reads, a sentence each
  std::vector<std::string> ambiguities;  ///< what two programs could read differently
  std::vector<std::string> unusual;      ///< what its pickles do and no checkpoint needs
  std::vector<ScannedGlobal> globals;
};

/// A result of a file, of an index of shards and of each shard, or of every file of a folder that
/// could be a model. Throws kInput for what is missing or cannot be read; what is wrong with its
/// contents is in the results.
[[nodiscard]] std::vector<ScanResult> Scan(const std::filesystem::path& path);

}  // namespace weightsmith
