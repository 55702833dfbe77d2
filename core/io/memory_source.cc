#include "core/io/memory_source.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

namespace weightsmith::internal {
namespace {

/// Like that of no file, and of no other: a run that goes on from another one's partial output
/// knows its inputs by this.
FileIdentity NewIdentity(std::uint64_t size) {
  static std::atomic<std::uint64_t> next{1};
  FileIdentity identity;
  identity.device = ~std::uint64_t{0};
  identity.inode = next++;
  identity.size = size;
  identity.modified_ns = std::chrono::system_clock::now().time_since_epoch().count();
  return identity;
}

}  // namespace

MemorySource::MemorySource(std::filesystem::path path, std::span<const std::byte> bytes,
                           std::shared_ptr<void> owner)
    : ByteSource(std::move(path), NewIdentity(bytes.size()), -1),
      bytes_(bytes),
      owner_(std::move(owner)) {}

void MemorySource::Read(std::uint64_t offset, std::span<std::byte> out) const {
  ExpectInside(offset, out.size());
  std::ranges::copy(bytes_.subspan(offset, out.size()), out.begin());
}

}  // namespace weightsmith::internal
