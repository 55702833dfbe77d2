// Any bytes as a zip archive: its files lie in it, apart from each other, or an Error.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/base/error.h"
#include "core/formats/torch/zip_archive.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weightsmith::internal;
  static const int file = ::memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) {
    std::abort();
  }
  try {
    ZipArchive archive = ReadZip(*OpenByteSource(path, IoBackend::kRead));
    std::ranges::sort(archive.entries, {}, &ZipEntry::offset);
    std::uint64_t end = 0;
    for (const ZipEntry& entry : archive.entries) {
      if (entry.offset < end || entry.offset + entry.size > size) std::abort();
      end = entry.offset + entry.size;
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput || error.message().empty()) std::abort();
  }
  return 0;
}
