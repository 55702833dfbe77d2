// Where a file is to be written: its folder and what is there, checked and made ready.
#pragma once

#include <filesystem>
#include <string_view>

#include "core/io/file_lock.h"
#include "core/io/system.h"

namespace weightsmith::internal {

struct OutputOptions {
  bool overwrite = false;     ///< replace an existing file at commit
  bool make_folders = false;  ///< create the missing folders above it
  bool sync = true;           ///< durable: writeback with every write, fsync of file and folder
  bool reserve = true;  ///< claim all bytes on disk up front; else the file is sparse at first
};

/// The folder that a file is in, "." for a bare name.
std::filesystem::path FolderOf(const std::filesystem::path& file);

/// What an OutputFile expects of its target, of the folder and of the partial. Changes nothing.
/// Throws kUsage.
void ExpectWritable(const std::filesystem::path& target, const OutputOptions& options);

/// Makes the folders above a file. Throws kFailed.
void MakeFolder(const std::filesystem::path& target);

/// Opens a partial, or makes it (`created`), and locks it: two runs would else write into each
/// other's file. Gives no file where another process holds it, and none for a shared lock where
/// there is no partial. Throws kUsage where something else has its name, kFailed otherwise.
FileHandle TryOpenLocked(const std::filesystem::path& partial, FileLock lock, bool& created);

/// The same, alone. Throws kFailed where another process holds the partial.
FileHandle OpenLocked(const std::filesystem::path& partial, bool& created);

/// Makes the names in a folder durable. Throws kFailed.
void SyncFolder(const std::filesystem::path& folder);

/// Removes a file, durably where `sync` is set; one that is not there is no error. Throws kFailed.
void RemoveFile(const std::filesystem::path& path, bool sync);

/// Throws kFailed: "cannot `doing` 'path': …", with what the system says of the errno.
[[noreturn]] void ThrowFailed(std::string_view doing, const std::filesystem::path& path, int error);

}  // namespace weightsmith::internal
