// What a plan needs of each disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "merge/plan.h"

namespace weightsmith {

/// What is needed and free on the file system of each output folder.
struct DiskNeed {
  std::filesystem::path folder;
  std::uint64_t needed = 0;
  std::uint64_t available = 0;
};
std::vector<DiskNeed> DiskNeeds(const Plan& plan);

}  // namespace weightsmith
