// A file that appears under its name complete or not at all: written as NAME.partial in the same
// folder, sized and preallocated up front, filled by positioned writes from any thread, renamed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/io/byte_source.h"
#include "core/io/file_lock.h"
#include "core/io/output_target.h"

namespace weightsmith::internal {

class OutputFile {
 public:
  /// Opens `target`.partial, locks it, empties it and gives it `size` bytes on disk. Permissions
  /// are the umask's, or at commit those of the file that is replaced; of a symlink, the link
  /// itself is replaced. Throws kUsage: target exists without overwrite or is no regular file, the
  /// partial is no regular file, or the folder is missing without make_folders. kResources: the
  /// disk lacks the bytes (reported before anything is written). kFailed: the folder cannot be
  /// written, or another process holds the partial.
  OutputFile(std::filesystem::path target, std::uint64_t size, const OutputOptions& options);

  /// Opens and locks the partial and leaves what it holds. Begin or Continue comes before a Write.
  static OutputFile OpenAsFound(std::filesystem::path target, std::uint64_t size,
                                const OutputOptions& options);
  /// The same with a lock that may be shared; nothing where another process excludes it, and where
  /// it is shared and there is no partial.
  static std::optional<OutputFile> TryOpenAsFound(std::filesystem::path target, std::uint64_t size,
                                                  const OutputOptions& options, FileLock lock);

  /// Closes; a partial that was neither committed nor discarded stays, unless it is new and empty.
  ~OutputFile();
  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;

  const std::filesystem::path& target() const;
  const std::filesystem::path& partial() const;
  std::uint64_t size() const;
  /// Of the partial as it is now.
  FileIdentity identity() const;

  /// Whether the partial's name is still that of this file: without a lock of its own, another
  /// process may have renamed or removed it.
  bool HasName() const;
  /// Changes the lock; false where another process excludes it: there is then none.
  [[nodiscard]] bool Lock(FileLock lock);

  /// Whether the partial has its full size and starts with `stamp`.
  bool Holds(std::string_view stamp) const;
  /// Empties the partial, writes `stamp` where the first bytes will be, and claims all bytes.
  void Begin(std::string_view stamp);
  /// Goes on with what the partial holds.
  void Continue();

  /// Writes at `offset`; any thread, ranges must not overlap. REQUIRES: inside size().
  /// Throws kResources when the disk is full or a limit is reached; kFailed otherwise.
  void Write(std::uint64_t offset, std::span<const std::byte> bytes);

  /// Reads back what was written.
  void Read(std::uint64_t offset, std::span<std::byte> out) const;
  /// Makes the next reads come from the disk, as far as the system allows it.
  void DropCache() const;

  /// Shares `size` bytes of `source` instead of writing them; false where the file system cannot
  /// (then nothing happened). All three numbers must be multiples of the file system's block.
  bool Clone(const ByteSource& source, std::uint64_t from, std::uint64_t to, std::uint64_t size);

  /// Waits until the system has written nearly all, if durability is asked for; throws kInterrupted
  /// once `go_on` says no. What Sync then waits for is little. Fails as Sync does.
  void Flush(const std::function<bool()>& go_on);
  /// Waits until all that was written is on disk, if durability is asked for, and looks for errors
  /// of writing that were not yet reported. After one the system may have lost any part of the
  /// file.
  void Sync();
  /// Renames the partial to the target and closes. Throws kUsage when a file has appeared under the
  /// target's name (without overwrite), kFailed otherwise; the partial stays.
  void Publish();
  /// Sync, Publish, and the folder on disk as well.
  void Commit();

  /// Removes the partial and closes.
  void Discard();

 private:
  struct State;
  explicit OutputFile(std::unique_ptr<State> state);
  static std::unique_ptr<State> Prepare(std::filesystem::path target, std::uint64_t size,
                                        const OutputOptions& options);
  std::unique_ptr<State> state_;
};

/// Writes a small file in one go, by the same rules.
void WriteFile(const std::filesystem::path& target, std::span<const std::byte> bytes,
               const OutputOptions& options);

}  // namespace weightsmith::internal
