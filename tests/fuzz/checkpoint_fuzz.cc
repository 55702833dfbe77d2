// Any bytes as a file that is opened by content: it is read through both backends alike, to the
// last byte of every tensor, laid out anew and read again, or refused with an Error.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/base/error.h"
#include "core/formats/checkpoint.h"
#include "core/formats/safetensors/layout.h"

namespace {

using namespace weightsmith::internal;

std::shared_ptr<const Checkpoint> Open(const std::string& path, IoBackend backend) {
  try {
    return Checkpoint::Open(path, backend);
  } catch (const Error& error) {
    const bool several = error.code() == ErrorCode::kMismatch;
    if ((error.code() != ErrorCode::kInput && !several) || error.message().empty()) std::abort();
    return nullptr;
  }
}

void ExpectReadable(const Checkpoint& checkpoint, const Checkpoint& other) {
  std::vector<TensorSpec> specs;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    if (checkpoint.Find(tensor.name) != &tensor) std::abort();
    if (checkpoint.Read(tensor) != other.Read(*other.Find(tensor.name))) std::abort();
    specs.push_back({tensor.name, tensor.info});
  }
  const HeaderLayout layout = LayOut(specs, checkpoint.metadata(), 8);
  const SafetensorsHeader again =
      ParseHeader(std::string_view(layout.header).substr(8), layout.file_size);
  if (again.tensors.size() != specs.size() || again.metadata != checkpoint.metadata()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int file = ::memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) {
    std::abort();
  }
  const auto mapped = Open(path, IoBackend::kMap);
  const auto read = Open(path, IoBackend::kRead);
  if ((mapped == nullptr) != (read == nullptr)) std::abort();
  if (mapped) ExpectReadable(*mapped, *read);
  return 0;
}
