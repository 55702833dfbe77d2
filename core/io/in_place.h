// Small edits of a file where it lies.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "core/io/byte_source.h"

namespace weightsmith {

/// Writes `bytes` over the first bytes of the file at `path` in one go and syncs it; its size stays
/// the same. Throws kFailed when the file may not be written, or is no longer `expected`.
void OverwriteStart(const std::filesystem::path& path, const FileIdentity& expected,
                    std::span<const std::byte> bytes);

}  // namespace weightsmith
