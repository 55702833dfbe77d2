// Tensors that Python hands over: lazy ones, arrays, buffers.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/tensor/tensor.h"
#include "python_bindings/handles.h"

namespace weightsmith::internal::python {

/// A contiguous buffer of Python's, for as long as it lives.
class Buffer {
 public:
  explicit Buffer(nanobind::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &buffer_, PyBUF_SIMPLE) != 0)
      throw nanobind::python_error();
  }
  ~Buffer() { PyBuffer_Release(&buffer_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(buffer_.buf), static_cast<std::size_t>(buffer_.len)};
  }

 private:
  Py_buffer buffer_ = {};
};

using Array = nanobind::ndarray<nanobind::ro, nanobind::c_contig, nanobind::device::cpu>;

/// A tensor to be written, and where its bytes are: in one of the three.
struct Item {
  TensorInfo info;
  std::optional<LazyTensor> lazy;
  std::unique_ptr<Buffer> buffer;
  std::optional<Array> array;

  std::span<const std::byte> bytes() const {
    if (buffer != nullptr) return buffer->bytes();
    return {static_cast<const std::byte*>(array->data()), info.bytes()};
  }
};

/// `entry`: a lazy tensor, what DLPack can take, or (dtype, shape, bytes). Throws kUsage, naming
/// the tensor, for elements that safetensors has no dtype for.
Item ItemOf(const std::string& name, nanobind::handle entry);

}  // namespace weightsmith::internal::python
