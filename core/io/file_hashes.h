// The hashes by which people name model files, of a file or a set of shards, and the user's cache
// of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
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

/// Remembers hashes by file identity (device, inode, size, times) in a small file of the user's:
/// $XDG_CACHE_HOME/weightsmith/hashes, else ~/.cache/weightsmith/hashes. A cache that cannot be
/// read or written is no error: it then remembers nothing.
class HashCache {
 public:
  /// The user's cache, or the one at `path`.
  explicit HashCache(std::optional<std::filesystem::path> path = std::nullopt);

  /// Of the cache; nothing where there is no place for one.
  const std::optional<std::filesystem::path>& path() const { return path_; }
  std::optional<FileHashes> Find(const FileIdentity& file) const;
  void Remember(const FileIdentity& file, const FileHashes& hashes);
  /// Find, else HashFile and Remember.
  FileHashes Hash(const ByteSource& source, const HashProgress& progress = {});

 private:
  std::optional<std::filesystem::path> path_;
};

}  // namespace weightsmith::internal
