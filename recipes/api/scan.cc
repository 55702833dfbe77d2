#include <weightsmith/scan.h>

#include "core/formats/torch/scan.h"
#include "recipes/api/guarded.h"
#include "recipes/jobs/scan_json.h"

namespace weightsmith {
namespace {

ScanResult ResultOf(const internal::ScannedFile& file) {
  const internal::ScanResult& found = file.result;
  ScanResult result{.path = file.path,
                    .safe = found.safe(),
                    .verdict = std::string(internal::Verdict(found)),
                    .format = found.format,
                    .problems = found.problems,
                    .ambiguities = found.ambiguities,
                    .unusual = found.unusual,
                    .globals = {}};
  for (const auto& global : found.globals) {
    result.globals.push_back({global.name, std::string(internal::ToString(global.safety))});
  }
  return result;
}

}  // namespace

std::vector<ScanResult> Scan(const std::filesystem::path& path) {
  return internal::Guarded([&] {
    std::vector<ScanResult> results;
    const auto files = internal::WithContext("scan", [&] { return internal::ScanPath(path); });
    for (const internal::ScannedFile& file : files) results.push_back(ResultOf(file));
    return results;
  });
}

}  // namespace weightsmith
