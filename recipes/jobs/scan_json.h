// What scanning files found, as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/formats/torch/scan.h"
#include "core/formats/torch/scan_path.h"

namespace weightsmith::internal {

/// "safe", "dangerous", "ambiguous", "unknown code", "malformed" or "missing".
std::string_view Verdict(const ScanResult& result);

/// A list: what `scan --json` prints.
std::string ScanJson(const std::vector<ScannedFile>& files);
/// Its schema, without "$schema".
std::string ScanSchema();

}  // namespace weightsmith::internal
