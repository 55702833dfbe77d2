#include "core/io/mapped_source.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/io/bus_guard.h"

namespace weightsmith::internal {
namespace {

// Below this, faulting pages in one by one costs less than asking for them.
constexpr std::uint64_t kPopulateSize = 64 * 1024;

std::uint64_t PageSize() {
  static const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

/// A fault maps pages around it, in windows of this many bytes.
constexpr std::uint64_t kFaultAround = 64 << 10;

class MappedSource final : public ByteSource {
 public:
  MappedSource(const std::filesystem::path& path, const FileIdentity& identity, int descriptor,
               void* address)
      : ByteSource(path, identity, descriptor), address_(static_cast<std::byte*>(address)) {}

  ~MappedSource() override {
    if (address_ != nullptr) ::munmap(address_, size());
  }

  IoBackend backend() const override { return IoBackend::kMap; }
  std::span<const std::byte> Mapping() const override { return {address_, size()}; }

  void Read(std::uint64_t offset, std::span<std::byte> out) const override {
    ExpectInside(offset, out.size());
    if (out.empty()) return;
    Populate(offset, out.size());
    const bool copied = CopyFromMapping(out.data(), address_ + offset, out.size());
    // The rest of a file's last page reads as zeros, without a signal: only the size tells.
    if (CurrentSize() < offset + out.size()) ThrowTruncated();
    if (!copied) {
      errno = EIO;
      ThrowUnreadable(offset);
    }
  }

  void Release(std::uint64_t offset, std::uint64_t count) const override {
    if (address_ == nullptr || offset >= size()) return;
    // A page that the next range shares stays until that range is released, and with it whatever
    // the kernel mapped around a fault before it; the last page of the file counts as whole.
    const std::uint64_t page = PageSize();
    const std::uint64_t limit = std::min(size() - offset, count) + offset;
    const std::uint64_t begin = offset / kFaultAround * kFaultAround;
    const std::uint64_t end = limit == size() ? limit : limit / page * page;
    if (begin < end) ::madvise(address_ + begin, end - begin, MADV_DONTNEED);
  }

 private:
  // Maps the pages of a range in one call instead of a fault for each; a failure is no matter.
  void Populate(std::uint64_t offset, std::uint64_t count) const {
#ifdef MADV_POPULATE_READ
    if (count < kPopulateSize) return;
    const std::uint64_t begin = offset / PageSize() * PageSize();
    ::madvise(address_ + begin, offset + count - begin, MADV_POPULATE_READ);
#endif
  }

  std::byte* address_;
};

}  // namespace

std::shared_ptr<const ByteSource> MapSource(const std::filesystem::path& path,
                                            const FileIdentity& identity, FileHandle& handle) {
  void* address = nullptr;
  if (identity.size > 0) {
    address = ::mmap(nullptr, identity.size, PROT_READ, MAP_PRIVATE, handle.get(), 0);
    if (address == MAP_FAILED) return nullptr;
  }
  return std::make_shared<MappedSource>(path, identity, handle.Release(), address);
}

}  // namespace weightsmith::internal
