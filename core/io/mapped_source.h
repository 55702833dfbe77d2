// A ByteSource whose bytes are mapped, made of an open descriptor that it takes over.
#pragma once

#include <filesystem>
#include <memory>

#include "core/io/byte_source.h"
#include "core/io/system.h"

namespace weightsmith::internal {

/// Null, with the handle untouched, when the system cannot map the file (errno says why).
std::shared_ptr<const ByteSource> MapSource(const std::filesystem::path& path,
                                            const FileIdentity& identity, FileHandle& handle);

}  // namespace weightsmith::internal
