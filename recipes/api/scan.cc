#include <weightsmith/scan.h>

#include "core/formats/torch/scan_path.h"
#include "recipes/api/from_json-inl.h"
#include "recipes/api/guarded.h"
#include "recipes/api/members/scan-inl.h"
#include "recipes/jobs/result_values-inl.h"

namespace weightsmith {

std::vector<ScanResult> Scan(const std::filesystem::path& path) {
  return internal::Guarded([&] {
    const auto files = internal::WithContext("scan", [&] { return internal::ScanPath(path); });
    return internal::FromJson<std::vector<ScanResult>>::Read(internal::ScanValue(files));
  });
}

}  // namespace weightsmith
