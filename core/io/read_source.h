// A ByteSource that reads by system calls, made of an open descriptor that it takes over.
#pragma once

#include <filesystem>
#include <memory>

#include "core/io/byte_source.h"
#include "core/io/system.h"

namespace weightsmith::internal {

std::shared_ptr<const ByteSource> ReadSource(const std::filesystem::path& path,
                                             const FileIdentity& identity, FileHandle& handle);

}  // namespace weightsmith::internal
