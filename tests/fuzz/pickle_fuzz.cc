// Any bytes as a pickle: values and the tensors that they describe, or an Error; references of what
// is read stay inside it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/base/error.h"
#include "core/formats/torch/pickle.h"
#include "core/formats/torch/tensor_table.h"

namespace {

using namespace weightsmith::internal;

void ExpectInside(const Pickle& pickle) {
  if (pickle.root() >= pickle.count()) std::abort();
  for (PickleRef ref = 0; ref < pickle.count(); ++ref) {
    switch (pickle.type(ref)) {
      case PickleType::kTuple:
      case PickleType::kList:
      case PickleType::kDict:
      case PickleType::kSet:
      case PickleType::kPersistent:
      case PickleType::kCall:
        for (const PickleRef item : pickle.items(ref)) {
          if (item >= pickle.count()) std::abort();
        }
        break;
      default:
        break;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const PickleTrace trace = TracePickle(bytes);
  if (trace.size > size) std::abort();
  try {
    const Pickle pickle = ReadPickle(bytes);
    if (pickle.size() > size) std::abort();
    ExpectInside(pickle);
    // What is read strictly, a trace follows to the same end and the same names.
    if (!trace.problem.empty() || trace.size != pickle.size()) std::abort();
    if (trace.globals != pickle.globals()) std::abort();
    const TorchTable table = ReadTensorTable(pickle);
    for (const TorchTensor& tensor : table.tensors) {
      if (tensor.in_arrays && tensor.offset + tensor.info.bytes() > table.array_bytes.size()) {
        std::abort();
      }
      if (tensor.strides.size() != tensor.info.shape.size()) std::abort();
    }
  } catch (const Error& error) {
    const bool several = error.code() == ErrorCode::kMismatch;
    if ((error.code() != ErrorCode::kInput && !several) || error.message().empty()) std::abort();
  }
  return 0;
}
