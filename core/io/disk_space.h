// What a disk has, and what files take on it.
#pragma once

#include <cstdint>
#include <filesystem>

namespace weightsmith::internal {

/// Bytes that a file takes on its disk; 0 where there is none.
std::uint64_t AllocatedBytes(const std::filesystem::path& path);
std::uint64_t AllocatedBytes(int descriptor);

/// The file system of `folder`, or of its nearest existing parent, by the system's own number.
std::uint64_t DeviceOf(const std::filesystem::path& folder);

/// Bytes that can still be written to the file system of `folder` (or of its nearest existing
/// parent); the largest number where the system does not say.
std::uint64_t FreeDiskBytes(const std::filesystem::path& folder);

}  // namespace weightsmith::internal
