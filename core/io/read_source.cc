#include "core/io/read_source.h"

#include <fcntl.h>
#include <unistd.h>

namespace weightsmith::internal {
namespace {

class PositionedSource final : public ByteSource {
 public:
  PositionedSource(const std::filesystem::path& path, const FileIdentity& identity, int descriptor)
      : ByteSource(path, identity, descriptor) {
    ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  }

  IoBackend backend() const override { return IoBackend::kRead; }

  void Read(std::uint64_t offset, std::span<std::byte> out) const override {
    ExpectInside(offset, out.size());
    while (!out.empty()) {
      const ssize_t count = Retry([&] {
        return ::pread(descriptor(), out.data(), out.size(), static_cast<off_t>(offset));
      });
      if (count < 0) ThrowUnreadable(offset);
      if (count == 0) ThrowTruncated();
      offset += static_cast<std::uint64_t>(count);
      out = out.subspan(static_cast<std::size_t>(count));
    }
  }
};

}  // namespace

std::shared_ptr<const ByteSource> ReadSource(const std::filesystem::path& path,
                                             const FileIdentity& identity, FileHandle& handle) {
  return std::make_shared<PositionedSource>(path, identity, handle.Release());
}

}  // namespace weightsmith::internal
