// A file that appears under its name complete or not at all: written as NAME.partial in the same
// folder, sized and preallocated up front, filled by positioned writes from any thread, renamed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "core/io/byte_source.h"

namespace weightsmith {

struct OutputOptions {
  bool overwrite = false;     ///< replace an existing file at commit
  bool make_folders = false;  ///< create the missing folders above it
  bool sync = true;           ///< durable: writeback with every write, fsync of file and folder
  bool reserve = true;  ///< claim all bytes on disk up front; else the file is sparse at first
};

class OutputFile {
 public:
  /// Opens `target`.partial, locks it and gives it `size` bytes on disk. With `keep` a partial of
  /// just that size is left as it is, so that an interrupted run can go on; else it starts empty.
  /// Permissions are the umask's, or at commit those of the file that is replaced; of a
  /// symlink, the link itself is replaced.
  /// Throws kUsage: target exists without overwrite or is no regular file, or its folder is missing
  /// without make_folders. kResources: the disk lacks the bytes (said before anything is written).
  /// kFailed: the folder cannot be written, or another process holds the partial.
  OutputFile(std::filesystem::path target, std::uint64_t size, const OutputOptions& options,
             bool keep = false);
  /// Closes; a partial that was neither committed nor discarded stays.
  ~OutputFile();
  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;

  const std::filesystem::path& target() const;
  const std::filesystem::path& partial() const;
  std::uint64_t size() const;
  /// Whether the partial of an earlier run was kept.
  bool resumed() const;

  /// Writes at `offset`; any thread, ranges must not overlap. REQUIRES: inside size().
  /// Throws kResources when the disk is full, with the bytes still needed; kFailed otherwise.
  void Write(std::uint64_t offset, std::span<const std::byte> bytes);

  /// Reads back what was written.
  void Read(std::uint64_t offset, std::span<std::byte> out) const;

  /// Shares `size` bytes of `source` instead of writing them; false where the file system cannot
  /// (then nothing happened). All three numbers must be multiples of the file system's block.
  bool Clone(const ByteSource& source, std::uint64_t from, std::uint64_t to, std::uint64_t size);

  /// Syncs (if asked), renames to the target, closes, syncs the folder. Throws kUsage when a file
  /// has appeared under the target's name (without overwrite), kFailed otherwise; the partial
  /// stays.
  void Commit();

  /// Removes the partial and closes.
  void Discard();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes a small file in one go, by the same rules.
void WriteFile(const std::filesystem::path& target, std::span<const std::byte> bytes,
               const OutputOptions& options);

/// Bytes that can still be written to the file system of `folder` (or of its nearest existing
/// parent); the largest number where the system does not say.
std::uint64_t FreeDiskBytes(const std::filesystem::path& folder);

}  // namespace weightsmith
