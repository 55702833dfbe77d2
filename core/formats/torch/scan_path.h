// Which files there are to scan: of a folder, of an index of shards.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/formats/torch/scan.h"

namespace weightsmith::internal {

struct ScannedFile {
  std::string path;
  ScanResult result;
};

/// A file; an index of shards and every shard that it names; or of a folder and the folders in it,
/// every file that a program could load as a model, by its name or by what it holds. Throws kInput
/// for what is missing or cannot be read, and for a folder without any such file.
std::vector<ScannedFile> ScanPath(const std::filesystem::path& path);

}  // namespace weightsmith::internal
