#include "core/formats/numbers.h"

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/tensor/codec.h"

namespace weightsmith::internal {
namespace {

/// Little-endian, of one to eight bytes.
double Integer(std::span<const std::byte> bytes, bool negative) {
  std::uint64_t value = 0;
  for (std::size_t byte = bytes.size(); byte-- > 0;) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[byte]);
  }
  if (!negative) return static_cast<double>(value);
  const int unused = 64 - 8 * static_cast<int>(bytes.size());
  return static_cast<double>(static_cast<std::int64_t>(value << unused) >> unused);
}

}  // namespace

std::vector<double> ReadNumbers(const Checkpoint& checkpoint, const CheckpointTensor& tensor) {
  const DTypeInfo& dtype = Info(tensor.info.dtype);
  const bool floating = dtype.kind == DTypeKind::kFloat;
  if (dtype.kind == DTypeKind::kComplex || (floating && !dtype.has_codec)) return {};
  const std::vector<std::byte> bytes = checkpoint.Read(tensor);
  std::vector<double> numbers(tensor.info.elements());
  if (floating) {
    Decode(tensor.info.dtype, bytes, numbers);
    return numbers;
  }
  const std::size_t size = dtype.bits / 8;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] =
        Integer(std::span(bytes).subspan(i * size, size), dtype.kind == DTypeKind::kSigned);
  }
  return numbers;
}

}  // namespace weightsmith::internal
