// What a plan needs of each disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "merge/plan/plan.h"

namespace weightsmith::internal {

/// What is needed and free on one file system.
struct DiskNeed {
  std::filesystem::path folder;  ///< the first output folder on it
  std::uint64_t needed = 0;      ///< beside what partial outputs there hold already
  std::uint64_t available = 0;
};
std::vector<DiskNeed> DiskNeeds(const Plan& plan);

/// Throws kResources where a disk is too small.
void CheckDisks(const Plan& plan);

}  // namespace weightsmith::internal
