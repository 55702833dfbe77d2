// The first bytes of a file replaced where it lies, whatever its size: all of them or none, also
// after a kill, a full disk or a power cut. While they are written, NAME.header beside the file
// holds the old and the new ones:
//
//   weightsmith-header-1 FILE_SIZE LENGTH CHECK\n     CHECK: XXH3-128 of FILE_SIZE, LENGTH and
//   bytes LENGTH old bytes LENGTH new bytes
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "core/io/byte_source.h"

namespace weightsmith::internal {

/// Replaces the first bytes of the file at `path` and waits until that is on disk; its size stays
/// the same. After an error the file is as it was, unless the message says otherwise. Throws kUsage
/// where something else stands in the place of NAME.header, kResources where the disk is full,
/// kFailed when the file may not be written, or is no longer `expected`.
void ReplaceStart(const std::filesystem::path& path, const FileIdentity& expected,
                  std::span<const std::byte> bytes);

/// Where the old and new bytes are kept meanwhile. Symlinks are followed to the file's own folder.
std::filesystem::path ReplacementOf(const std::filesystem::path& path);

/// Ends a replacement that was interrupted: the new bytes are written, NAME.header is removed.
/// Returns whether there was one. Throws kInput where the file has changed since.
bool FinishReplacement(const std::filesystem::path& path);

}  // namespace weightsmith::internal
