#include "core/tensor/tensor.h"

namespace weightsmith {

std::optional<std::uint64_t> ElementCount(std::span<const std::uint64_t> shape) {
  std::uint64_t count = 1;
  for (const std::uint64_t dimension : shape) {
    if (__builtin_mul_overflow(count, dimension, &count)) return std::nullopt;
  }
  return count;
}

std::string ToString(std::span<const std::uint64_t> shape) {
  std::string text = "[";
  for (const std::uint64_t dimension : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(dimension);
  }
  return text + "]";
}

std::uint64_t TensorInfo::elements() const {
  return ElementCount(shape).value();
}

std::uint64_t TensorInfo::bytes() const {
  // Eight elements fill `bits` bytes whatever the dtype; split so that nothing overflows.
  const std::uint64_t count = elements();
  const std::uint64_t bits = Info(dtype).bits;
  return count / 8 * bits + count % 8 * bits / 8;
}

}  // namespace weightsmith
