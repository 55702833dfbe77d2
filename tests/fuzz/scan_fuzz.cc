// Any bytes as a file to scan: it ends, and what is ambiguous is not opened, what is safe is.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/base/error.h"
#include "core/formats/checkpoint.h"
#include "core/formats/torch/scan.h"

namespace {

using namespace weightsmith::internal;

/// Nothing, or the code of the error.
std::optional<ErrorCode> Opened(const std::string& path) {
  try {
    Checkpoint::Open(path);
  } catch (const Error& error) {
    return error.code();
  }
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int file = ::memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) {
    std::abort();
  }
  const ScanResult result = ScanFile(path);
  const auto problem = Opened(path);
  if (!result.ambiguities.empty() && !problem) std::abort();
  if (result.safe() && result.format == "safetensors" && problem) std::abort();
  if (!problem && result.format == "unknown") std::abort();
  return 0;
}
