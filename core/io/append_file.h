// A small file that grows line by line, with every failure reported where it happens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "core/io/system.h"

namespace weightsmith::internal {

class AppendFile {
 public:
  AppendFile() = default;
  /// Opens the file, or makes it, and locks it; nothing where another process holds it. Throws
  /// kResources where there is no room, kFailed otherwise.
  static std::optional<AppendFile> TryOpen(const std::filesystem::path& path);

  explicit operator bool() const { return static_cast<bool>(handle_); }
  /// Cuts it off behind `size` bytes.
  void Shorten(std::uint64_t size);

  /// Throws kResources when the disk is full or a limit is reached; kFailed otherwise. A part may
  /// then have been written.
  void Append(std::string_view text);
  /// Waits until the file and its name are on disk.
  void Sync();
  /// Removes the file, if its name is still that of this file, and closes.
  void Remove();
  /// The same where nothing is in it.
  void RemoveEmpty();

 private:
  AppendFile(std::filesystem::path path, FileHandle handle);
  bool HasName() const;
  [[noreturn]] void Throw(std::string_view doing, int error) const;

  std::filesystem::path path_;
  FileHandle handle_;
};

/// Cuts a file off behind `size` bytes, whoever has it open. Throws kFailed where it cannot.
void ShortenFile(const std::filesystem::path& path, std::uint64_t size);

}  // namespace weightsmith::internal
