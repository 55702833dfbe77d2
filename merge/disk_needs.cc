#include "merge/disk_needs.h"

#include <map>

#include "core/io/output_file.h"

namespace weightsmith {

std::vector<DiskNeed> DiskNeeds(const Plan& plan) {
  std::map<std::filesystem::path, std::uint64_t> needed;
  for (const OutputFilePlan& file : plan.output_files) {
    std::filesystem::path folder = file.path.parent_path();
    if (folder.empty()) folder = ".";
    needed[folder] += file.layout.file_size;
  }
  std::vector<DiskNeed> needs;
  for (const auto& [folder, bytes] : needed) {
    needs.push_back({folder, bytes, FreeDiskBytes(folder)});
  }
  return needs;
}

}  // namespace weightsmith
