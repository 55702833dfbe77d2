#include "merge/run/disk_needs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/disk_space.h"
#include "core/io/output_target.h"

namespace weightsmith::internal {

std::vector<DiskNeed> DiskNeeds(const Plan& plan) {
  std::map<std::uint64_t, std::size_t> by_device;
  std::vector<DiskNeed> needs;
  for (const OutputFilePlan& file : plan.output_files) {
    const std::filesystem::path folder = FolderOf(file.path);
    const auto [known, added] = by_device.emplace(DeviceOf(folder), needs.size());
    if (added) needs.push_back({folder, 0, FreeDiskBytes(folder)});
    const std::uint64_t held = AllocatedBytes(std::filesystem::path(file.path).concat(".partial"));
    needs[known->second].needed += file.layout.file_size - std::min(held, file.layout.file_size);
  }
  return needs;
}

void CheckDisks(const Plan& plan) {
  for (const DiskNeed& need : DiskNeeds(plan)) {
    if (need.needed <= need.available) continue;
    throw Error(ErrorCode::kResources,
                fmt::format("not enough disk in {}: {} bytes ({}) are needed and {} bytes ({}) are "
                            "free",
                            Quote(need.folder.string()), need.needed, FormatBytes(need.needed),
                            need.available, FormatBytes(need.available)),
                "Free some space, or choose a folder on another disk.");
  }
}

}  // namespace weightsmith::internal
