// Any bytes as a .safetensors file: the header is read or refused with an Error, and what is read
// keeps the promises that everything behind it relies on.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/base/error.h"
#include "core/formats/safetensors/header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weightsmith::internal;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  try {
    const std::uint64_t n = ParseHeaderSize(file.substr(0, 8), size);
    const SafetensorsHeader header = ParseHeader(file.substr(8, n), size);
    std::uint64_t end = 0;
    for (const SafetensorsEntry& tensor : header.tensors) {
      if (tensor.begin != end || tensor.end - tensor.begin != tensor.info.bytes()) std::abort();
      end = tensor.end;
    }
    if (header.data_start + end != size) std::abort();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput || error.message().empty()) std::abort();
  }
  return 0;
}
