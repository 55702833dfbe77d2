// Whether loading a file with Python would be safe: what its pickles would import and call, and
// whether two readers of it could see two things. Nothing is executed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/torch/globals.h"

namespace weightsmith {

struct ScanResult {
  struct Global {
    std::string name;
    GlobalSafety safety = GlobalSafety::kUnknown;
  };
  /// "safetensors", "sharded", "torch-zip", "torch-legacy", "pickle", "gguf", "unknown".
  std::string format = "unknown";
  std::vector<Global> globals;        ///< of all pickles, sorted by name
  std::vector<std::string> problems;  ///< of structure, a sentence each

  bool safe() const;
};

/// Throws kInput for a file that is missing or cannot be read; everything that is wrong with its
/// contents is in the result.
ScanResult ScanFile(const std::filesystem::path& path);

}  // namespace weightsmith
