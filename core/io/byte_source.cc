#include "core/io/byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "core/base/text.h"
#include "core/io/mapped_source.h"
#include "core/io/missing_file.h"
#include "core/io/read_source.h"

namespace weightsmith::internal {
namespace {

// File systems where every page fault may be a round trip (statfs(2), linux/magic.h).
constexpr std::array<std::uint32_t, 12> kSlowToMap = {
    0x6969,      // NFS
    0x517B,      // SMB
    0xFE534D42,  // SMB2
    0xFF534D42,  // CIFS
    0x65735546,  // FUSE, virtiofs
    0x01021997,  // 9P
    0x5346414F,  // AFS
    0x00C36400,  // Ceph
    0x73757245,  // Coda
    0x0BD00BD0,  // Lustre
    0x47504653,  // GPFS
    0x786F4256,  // VirtualBox shared folders
};

bool SlowToMap(int descriptor) {
  struct statfs system = {};
  if (::fstatfs(descriptor, &system) != 0) return false;
  return std::ranges::find(kSlowToMap, static_cast<std::uint32_t>(system.f_type)) !=
         kSlowToMap.end();
}

[[noreturn]] void ThrowCannotOpen(const std::filesystem::path& path, int error) {
  const std::string file = Quote(path.string());
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      throw MissingFile(fmt::format("no such file: {}", file));
    case EACCES:
    case EPERM:
      throw Error(ErrorCode::kInput, fmt::format("no permission to read {}", file));
    case ENXIO:
      throw Error(ErrorCode::kInput, fmt::format("{} is not a regular file", file));
    case ELOOP:
    case ENAMETOOLONG:
      throw Error(ErrorCode::kInput, fmt::format("cannot open {}: {}", file, SystemMessage(error)));
    default:
      throw Error(ErrorCode::kFailed,
                  fmt::format("cannot open {}: {}", file, SystemMessage(error)));
  }
}

void ExpectRegular(const std::filesystem::path& path, const struct stat& status) {
  if (S_ISREG(status.st_mode)) return;
  const char* found = S_ISDIR(status.st_mode)    ? "a folder"
                      : S_ISFIFO(status.st_mode) ? "a pipe"
                                                 : "a device";
  throw Error(ErrorCode::kInput,
              fmt::format("{} is {}, not a regular file", Quote(path.string()), found));
}

}  // namespace

std::optional<FileIdentity> IdentifyFile(const std::filesystem::path& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Identify(status);
}

ByteSource::ByteSource(std::filesystem::path path, FileIdentity identity, int descriptor)
    : path_(std::move(path)), identity_(identity), descriptor_(descriptor) {}

ByteSource::~ByteSource() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ByteSource::DropCache(std::uint64_t offset, std::uint64_t size) const {
  if (descriptor_ < 0) return;
  ::posix_fadvise(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(size),
                  POSIX_FADV_DONTNEED);
}

void ByteSource::ExpectUnchanged() const {
  if (descriptor_ < 0) return;
  const auto same = [this](const FileIdentity& now) {
    return now.SameFile(identity_) && now.size == identity_.size &&
           now.modified_ns == identity_.modified_ns;
  };
  // The open file as well as the name: either may have been written to behind the other's back.
  struct stat open_now = {};
  const std::optional<FileIdentity> named_now = IdentifyFile(path_);
  if (::fstat(descriptor_, &open_now) == 0 && same(Identify(open_now)) && named_now &&
      same(*named_now)) {
    return;
  }
  const char* what = !named_now                        ? "was removed"
                     : !named_now->SameFile(identity_) ? "was replaced by another file"
                                                       : "was changed";
  throw Error(ErrorCode::kInput,
              fmt::format("{} {} while it was being read", Quote(path_.string()), what),
              "Run the command again when nothing else writes to the file.");
}

void ByteSource::ExpectInside(std::uint64_t offset, std::uint64_t count) const {
  if (offset <= size() && count <= size() - offset) return;
  throw Error(ErrorCode::kInput,
              fmt::format("{}: a read of {} bytes at byte {} leaves the file, which has {} bytes",
                          Quote(path_.string()), count, offset, size()));
}

std::uint64_t ByteSource::CurrentSize() const {
  struct stat status = {};
  return ::fstat(descriptor_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

void ByteSource::ThrowTruncated() const {
  throw Error(ErrorCode::kInput,
              fmt::format("{} was truncated while it was being read: it had {} bytes and ends at "
                          "byte {} now",
                          Quote(path_.string()), size(), CurrentSize()),
              "Run the command again when nothing else writes to the file.");
}

void ByteSource::ThrowUnreadable(std::uint64_t offset) const {
  const int error = errno;
  throw Error(ErrorCode::kFailed, fmt::format("cannot read {} at byte {}: {}",
                                              Quote(path_.string()), offset, SystemMessage(error)));
}

std::string ReadText(const ByteSource& file, std::uint64_t offset, std::uint64_t size) {
  std::string text(size, '\0');
  file.Read(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

std::shared_ptr<const ByteSource> OpenByteSource(const std::filesystem::path& path,
                                                 std::optional<IoBackend> backend) {
  // NONBLOCK: opening a pipe without a writer would wait for ever.
  FileHandle handle(
      Retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); }));
  if (!handle) ThrowCannotOpen(path, errno);
  struct stat status = {};
  if (::fstat(handle.get(), &status) != 0) ThrowCannotOpen(path, errno);
  ExpectRegular(path, status);
  const FileIdentity identity = Identify(status);
  if (backend != IoBackend::kRead && (backend || !SlowToMap(handle.get()))) {
    if (auto source = MapSource(path, identity, handle)) return source;
    if (backend) {
      throw Error(ErrorCode::kFailed,
                  fmt::format("cannot map {}: {}", Quote(path.string()), SystemMessage(errno)), {},
                  {Option::kReadInsteadOfMap});
    }
  }
  return ReadSource(path, identity, handle);
}

}  // namespace weightsmith::internal
