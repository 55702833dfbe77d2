// Whether loading a file with Python would be safe: what its pickles would import and call, and
// whether two programs could see two files in it. Nothing is executed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/formats/torch/globals.h"

namespace weightsmith::internal {

struct ScanResult {
  struct Global {
    std::string name;
    GlobalSafety safety = GlobalSafety::kUnknown;
  };
  /// "safetensors", "sharded", "torch-zip", "torch-legacy", "pickle", "tar", "gguf", "unknown".
  std::string format = "unknown";
  std::vector<Global> globals;           ///< of all pickles, sorted by name
  std::vector<std::string> unusual;      ///< what pickles do with them and no checkpoint needs
  std::vector<std::string> ambiguities;  ///< what other programs could read differently
  std::vector<std::string> problems;     ///< what no program reads, a sentence each
  bool missing = false;                  ///< an index names the file, and there is none

  bool dangerous() const;
  bool safe() const;
};

/// Throws kInput for a file that is missing or cannot be read; everything that is wrong with its
/// contents is in the result.
ScanResult ScanFile(const std::filesystem::path& path);

}  // namespace weightsmith::internal
