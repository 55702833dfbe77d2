#include <nanobind/ndarray.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "python_bindings/bindings.h"
#include "python_bindings/dtypes.h"
#include "python_bindings/handles.h"

namespace weightsmith::internal::python {
namespace {

namespace nb = nanobind;

LazyTensor Find(const OpenCheckpoint& open, const std::string& name) {
  const CheckpointTensor* const stored = open.checkpoint->Find(name);
  if (stored == nullptr) throw nb::key_error(name.c_str());
  return {open.checkpoint, stored};
}

/// What a Py_buffer of ours points into.
struct Export {
  std::shared_ptr<TensorBytes> bytes;
  std::vector<Py_ssize_t> shape;
  std::vector<Py_ssize_t> strides;
};

int GetBuffer(PyObject* self, Py_buffer* buffer, int flags) {
  buffer->obj = nullptr;  // as the protocol has it where this fails
  try {
    const LazyTensor& tensor = *nb::inst_ptr<LazyTensor>(self);
    const DTypeInfo& dtype = Info(tensor.info().dtype);
    const char* const format = BufferFormat(dtype.dtype);
    if (format == nullptr) {
      PyErr_Format(PyExc_BufferError,
                   "'%s' is %s, which buffers have no format for: use .numpy(), "
                   "torch.from_dlpack() or .view()",
                   tensor.stored->name.c_str(), std::string(dtype.name).c_str());
      return -1;
    }
    auto made = std::make_unique<Export>();
    made->bytes = tensor.View();
    const Shape& shape = tensor.info().shape;
    made->shape.assign(shape.begin(), shape.end());
    made->strides.resize(shape.size());
    Py_ssize_t stride = dtype.bits / 8;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      made->strides[axis] = stride;
      stride *= static_cast<Py_ssize_t>(shape[axis]);
    }
    buffer->buf = made->bytes->bytes().data();
    buffer->len = static_cast<Py_ssize_t>(made->bytes->bytes().size());
    buffer->readonly = 0;
    buffer->itemsize = dtype.bits / 8;
    buffer->format = (flags & PyBUF_FORMAT) != 0 ? const_cast<char*>(format) : nullptr;
    buffer->ndim = static_cast<int>(shape.size());
    buffer->shape = (flags & PyBUF_ND) != 0 ? made->shape.data() : nullptr;
    buffer->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? made->strides.data() : nullptr;
    buffer->suboffsets = nullptr;
    buffer->internal = made.release();
    buffer->obj = Py_NewRef(self);
    return 0;
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_BufferError, error.what());
    return -1;
  }
}

void ReleaseBuffer(PyObject* /*self*/, Py_buffer* buffer) {
  const std::unique_ptr<Export> made(static_cast<Export*>(buffer->internal));
}

int GetBytes(PyObject* self, Py_buffer* buffer, int flags) {
  const TensorBytes& bytes = *nb::inst_ptr<TensorBytes>(self);
  return PyBuffer_FillInfo(buffer, self, bytes.bytes().data(),
                           static_cast<Py_ssize_t>(bytes.bytes().size()), 0, flags);
}

PyType_Slot tensor_slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(GetBuffer)},
                              {Py_bf_releasebuffer, reinterpret_cast<void*>(ReleaseBuffer)},
                              {0, nullptr}};
PyType_Slot bytes_slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(GetBytes)}, {0, nullptr}};

nb::tuple ShapeOf(const LazyTensor& tensor) {
  nb::list axes;
  for (const std::uint64_t axis : tensor.info().shape) axes.append(axis);
  return nb::tuple(axes);
}

/// As array libraries ask for it: arguments are those of the array API's __dlpack__.
nb::object Dlpack(const LazyTensor& tensor, const nb::kwargs& arguments) {
  const auto dtype = DlpackType(tensor.info().dtype);
  if (!dtype) throw nb::buffer_error("elements below a byte have no DLPack type: use .view()");
  const bool copy = arguments.contains("copy") && nb::cast<bool>(nb::bool_(arguments["copy"]));
  auto owner = std::make_unique<std::shared_ptr<TensorBytes>>();
  {
    const nb::gil_scoped_release released;
    *owner = copy ? tensor.Copy() : tensor.View();
  }
  std::vector<std::size_t> shape(tensor.info().shape.begin(), tensor.info().shape.end());
  void* const data = (*owner)->bytes().data();
  const nb::capsule keeper(owner.release(), [](void* held) noexcept {
    const std::unique_ptr<std::shared_ptr<TensorBytes>> own(
        static_cast<std::shared_ptr<TensorBytes>*>(held));
  });
  const nb::ndarray<nb::array_api> array(data, shape.size(), shape.data(), keeper, nullptr, *dtype,
                                         nb::device::cpu::value);
  nb::dict rest;
  for (const auto& [key, value] : arguments) {
    if (nb::cast<std::string>(key) != "copy") rest[key] = value;
  }
  return nb::cast(array).attr("__dlpack__")(**rest);
}

nb::object MemoryOf(std::shared_ptr<TensorBytes> bytes) {
  const nb::object owner = nb::cast(std::move(bytes));
  return nb::steal(PyMemoryView_FromObject(owner.ptr()));
}

nb::object View(const LazyTensor& tensor) {
  return MemoryOf([&] {
    const nb::gil_scoped_release released;
    return tensor.View();
  }());
}

nb::object CopyBytes(const LazyTensor& tensor) {
  return MemoryOf([&] {
    const nb::gil_scoped_release released;
    return tensor.Copy();
  }());
}

std::string DTypeName(const LazyTensor& tensor) {
  return std::string(Info(tensor.info().dtype).name);
}

}  // namespace

void BindTensor(nb::module_& module) {
  const nb::class_<TensorBytes> bytes(module, "Bytes", nb::type_slots(bytes_slots),
                                      "What the memory of a view belongs to.");
  nb::class_<LazyTensor>(module, "Tensor", nb::type_slots(tensor_slots))
      .def(
          "__init__",
          [](LazyTensor* self, const OpenCheckpoint& open, const std::string& name) {
            new (self) LazyTensor(Find(open, name));
          },
          nb::arg("checkpoint"), nb::arg("name"))
      .def_prop_ro("name", [](const LazyTensor& tensor) { return tensor.stored->name; })
      .def_prop_ro("dtype", &DTypeName)
      .def_prop_ro("shape", &ShapeOf, nb::for_getter(nb::sig("def shape(self) -> tuple[int, ...]")))
      .def_prop_ro("nbytes", [](const LazyTensor& tensor) { return tensor.info().bytes(); })
      .def("view", &View, nb::sig("def view(self) -> memoryview"),
           "Its bytes, whatever the dtype: pages of the file, which may be written to as those of "
           "an "
           "array may.")
      .def("copy_bytes", &CopyBytes, nb::sig("def copy_bytes(self) -> memoryview"),
           "Its bytes in memory of their own.")
      .def("__dlpack__", &Dlpack,
           nb::sig("def __dlpack__(self, **kwargs: typing.Any) -> typing.Any"))
      .def(
          "__dlpack_device__", [](const LazyTensor&) { return nb::make_tuple(1, 0); },
          nb::sig("def __dlpack_device__(self) -> tuple[int, int]"));
}

}  // namespace weightsmith::internal::python
