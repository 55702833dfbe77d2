// The hashes by which people name model files, of a file or a set of shards.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/io/byte_source.h"

namespace weightsmith::internal {

struct FileHashes {
  std::string sha256;  ///< of the whole file, 64 digits
  std::string autov1;  ///< 8 digits: SHA-256 of the 64 KiB at 1 MiB
  std::string autov2;  ///< 10 digits of sha256
  std::string autov3;  ///< 12 digits: SHA-256 of what follows a safetensors header; else empty
};

/// Bytes done and bytes in all; return false to stop (kInterrupted).
using HashProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

/// Reads the whole file once.
FileHashes HashFile(const ByteSource& source, const HashProgress& progress = {});

/// The SHA-256 of a set of shards: of the lines "SHA256  NAME\n" of its files, sorted by name.
std::string HashShardSet(const std::vector<std::pair<std::string, std::string>>& name_and_sha256);

}  // namespace weightsmith::internal
