#include "core/numbers.h"

#include <cstddef>
#include <cstdint>

#include "core/codec.h"

namespace weightsmith {

std::vector<double> ReadNumbers(const Checkpoint& checkpoint, const CheckpointTensor& tensor) {
  const DType dtype = tensor.info.dtype;
  if (dtype != DType::kI64 && !Info(dtype).has_codec) return {};
  const std::vector<std::byte> bytes = checkpoint.Read(tensor);
  std::vector<double> numbers(tensor.info.elements());
  if (dtype != DType::kI64) {
    Decode(dtype, bytes, numbers);
    return numbers;
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::uint64_t value = 0;
    for (std::size_t byte = 8; byte-- > 0;) {
      value = value << 8 | std::to_integer<std::uint64_t>(bytes[8 * i + byte]);
    }
    numbers[i] = static_cast<double>(static_cast<std::int64_t>(value));
  }
  return numbers;
}

}  // namespace weightsmith
