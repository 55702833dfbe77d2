// What scanning files found, as JSON.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/formats/torch/scan.h"

namespace weightsmith::internal {

/// "safe", "dangerous", "ambiguous", "unknown code", "malformed" or "missing".
std::string_view Verdict(const ScanResult& result);

/// A list: what `scan --json` prints.
std::string ScanJson(std::span<const ScannedFile> files);

}  // namespace weightsmith::internal
