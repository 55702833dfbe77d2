// Random reads of an input file, behind one interface with two backends. Every read is checked
// against truncation: a file that shrinks while it is read ends in an Error, never in a signal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace weightsmith::internal {

/// Which file this is, by the system's own numbers, and the state it was in.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;  ///< hard links move it too: says less than modified_ns

  /// The same file, whatever its state: through a symlink, a hard link or another spelling.
  bool SameFile(const FileIdentity& other) const {
    return device == other.device && inode == other.inode;
  }
  bool operator==(const FileIdentity&) const = default;
};

/// The identity of the file at `path`, symlinks followed; nothing where there is none.
std::optional<FileIdentity> IdentifyFile(const std::filesystem::path& path);

enum class IoBackend { kMap, kRead };

class ByteSource {
 public:
  virtual ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return identity_.size; }
  /// As it was when the file was opened.
  const FileIdentity& identity() const { return identity_; }
  virtual IoBackend backend() const = 0;
  /// Whether the bytes are the program's own, so that opening path() again would not give them.
  virtual bool substituted() const { return false; }

  /// Fills `out` from `offset`; any thread. Throws kInput when the range leaves the file or the
  /// file was truncated since, kFailed when the system cannot read.
  virtual void Read(std::uint64_t offset, std::span<std::byte> out) const = 0;

  /// The whole file as memory, where the backend maps it; else empty. Reading it is safe only
  /// while nobody truncates the file: bulk work goes through Read.
  virtual std::span<const std::byte> Mapping() const { return {}; }

  /// Tells that a range will not be read again soon, so that mapped pages leave the process.
  virtual void Release(std::uint64_t /*offset*/, std::uint64_t /*size*/) const {}

  /// Drops a range from the system's page cache, as far as it can; size 0: to the end.
  void DropCache(std::uint64_t offset, std::uint64_t size) const;

  /// Throws kInput when the file at path() is no longer the one that was opened, or changed: by
  /// device, inode, size and time of modification. What is of no file does not change.
  void ExpectUnchanged() const;

  /// The system's handle of the open file, for core/io; -1 where there is no file.
  int descriptor() const { return descriptor_; }

 protected:
  /// Takes the descriptor over.
  ByteSource(std::filesystem::path path, FileIdentity identity, int descriptor);

  /// Throws kInput unless the range lies in the file as it was opened.
  void ExpectInside(std::uint64_t offset, std::uint64_t size) const;
  /// The file's size by now.
  std::uint64_t CurrentSize() const;
  /// Throws kInput: the file is shorter than it was.
  [[noreturn]] void ThrowTruncated() const;
  /// Throws kFailed with what errno says.
  [[noreturn]] void ThrowUnreadable(std::uint64_t offset) const;

 private:
  std::filesystem::path path_;
  FileIdentity identity_;
  int descriptor_;
};

/// Bytes as text, for formats that are read whole.
std::string ReadText(const ByteSource& file, std::uint64_t offset, std::uint64_t size);

/// Opens a regular file. Without a backend: maps it, except on network and FUSE file systems.
/// Throws kInput for a missing file, a folder, or one that may not be read.
std::shared_ptr<const ByteSource> OpenByteSource(const std::filesystem::path& path,
                                                 std::optional<IoBackend> backend = std::nullopt);

}  // namespace weightsmith::internal
