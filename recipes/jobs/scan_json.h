// What scanning files found, as JSON.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/torch/scan.h"

namespace weightsmith {

struct ScannedFile {
  std::string path;
  ScanResult result;
};

/// "safe", "dangerous", "unknown code" or "malformed".
std::string_view Verdict(const ScanResult& result);

/// A list: what `scan --json` prints.
std::string ScanJson(std::span<const ScannedFile> files);

}  // namespace weightsmith
