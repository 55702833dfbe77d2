// A small file that grows line by line, with every failure reported where it happens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "core/io/system.h"

namespace weightsmith::internal {

class AppendFile {
 public:
  AppendFile() = default;
  /// Makes the file; throws kFailed where one is there, kResources where there is no room.
  static AppendFile Create(const std::filesystem::path& path);
  /// Opens it and cuts it off behind `size` bytes.
  static AppendFile Open(const std::filesystem::path& path, std::uint64_t size);

  /// Throws kResources when the disk is full or a limit is reached; kFailed otherwise. A part may
  /// then have been written.
  void Append(std::string_view text);
  /// Waits until the file and its name are on disk.
  void Sync();

 private:
  AppendFile(std::filesystem::path path, FileHandle handle);
  [[noreturn]] void Throw(std::string_view doing, int error) const;

  std::filesystem::path path_;
  FileHandle handle_;
};

}  // namespace weightsmith::internal
