#include "core/io/private_mapping.h"

#include <sys/mman.h>
#include <unistd.h>

namespace weightsmith::internal {

PrivateMapping::PrivateMapping(const ByteSource& file, std::uint64_t offset, std::uint64_t size) {
  if (size == 0 || file.substituted()) return;
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t begin = offset / page * page;
  length_ = offset + size - begin;
  // Pages that nobody writes to need no memory of their own, so none is set aside.
  void* const address =
      ::mmap(nullptr, length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE,
             file.descriptor(), static_cast<off_t>(begin));
  if (address == MAP_FAILED) return;
  address_ = address;
  bytes_ = std::span(static_cast<std::byte*>(address) + (offset - begin), size);
}

PrivateMapping::~PrivateMapping() {
  if (address_ != nullptr) ::munmap(address_, length_);
}

}  // namespace weightsmith::internal
