#include "core/io/system.h"

#include <unistd.h>

#include <cctype>
#include <system_error>

#include "core/base/text.h"

namespace weightsmith::internal {

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

bool IsFull(int error) {
  return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

std::string_view WhyFull(int error) {
  switch (error) {
    case EDQUOT:
      return "the disk quota is used up";
    case EFBIG:
      return "a limit on the size of files is reached";
    default:
      return "the disk is full";
  }
}

std::string_view AdviceOfFull(int error) {
  if (error == EFBIG) return "Raise the limit (ulimit -f), or choose another file system.";
  return "Free some space, or choose a folder on another disk.";
}

std::string QuotedPath(const std::filesystem::path& path) {
  return Quote(path.string());
}

std::string SystemMessage(int error) {
  std::string message = std::generic_category().message(error);
  if (!message.empty()) {
    message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
  }
  return message;
}

}  // namespace weightsmith::internal
