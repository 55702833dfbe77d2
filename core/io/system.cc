#include "core/io/system.h"

#include <unistd.h>

#include <cctype>
#include <system_error>

namespace weightsmith {

void FileHandle::Close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

FileIdentity Identify(const struct stat& status) {
  const auto nanoseconds = [](const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = static_cast<std::uint64_t>(status.st_size),
          .modified_ns = nanoseconds(status.st_mtim),
          .changed_ns = nanoseconds(status.st_ctim)};
}

std::string SystemMessage(int error) {
  std::string message = std::generic_category().message(error);
  if (!message.empty()) {
    message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
  }
  return message;
}

}  // namespace weightsmith
