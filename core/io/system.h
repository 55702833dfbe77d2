// Small helpers around system calls, for the files of core/io.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "core/io/byte_source.h"

namespace weightsmith::internal {

/// Closes a file descriptor when it goes out of scope.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int descriptor) : descriptor_(descriptor) {}
  FileHandle(FileHandle&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileHandle& operator=(FileHandle&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileHandle() { Close(); }

  int get() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }
  int Release() { return std::exchange(descriptor_, -1); }
  void Close();

 private:
  int descriptor_ = -1;
};

FileIdentity Identify(const struct stat& status);

/// Repeats a system call for as long as a signal interrupts it.
template <class Call>
auto Retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// A path in quotes, for messages.
std::string QuotedPath(const std::filesystem::path& path);

/// What the system says of an errno: "no space left on device".
std::string SystemMessage(int error);

/// Whether an errno says that there is no room: by the disk, a quota, a limit of the process or of
/// the file system.
bool IsFull(int error);
/// What such an errno means, "the disk is full", and what the user can do.
std::string_view WhyFull(int error);
std::string_view AdviceOfFull(int error);

}  // namespace weightsmith::internal
