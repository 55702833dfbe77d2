// The user's cache of the hashes of files.
#pragma once

#include <filesystem>
#include <optional>

#include "core/io/byte_source.h"
#include "core/io/file_hashes.h"

namespace weightsmith::internal {

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
