#include "python_bindings/items.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "python_bindings/dtypes.h"

namespace weightsmith::internal::python {
namespace {

namespace nb = nanobind;

Item FromArray(const std::string& name, nb::handle source) {
  Item item;
  item.array = nb::cast<Array>(source);
  const auto dtype = DTypeOf(item.array->dtype());
  if (!dtype) {
    throw Error(ErrorCode::kUsage, "safetensors has no dtype for the elements of " + Quote(name));
  }
  item.info.dtype = *dtype;
  for (std::size_t axis = 0; axis < item.array->ndim(); ++axis) {
    item.info.shape.push_back(item.array->shape(axis));
  }
  return item;
}

}  // namespace

Item ItemOf(const std::string& name, nb::handle entry) {
  Item item;
  if (nb::isinstance<LazyTensor>(entry)) {
    item.lazy = nb::cast<LazyTensor>(entry);
    item.info = item.lazy->info();
    return item;
  }
  if (!nb::isinstance<nb::tuple>(entry)) return FromArray(name, entry);
  item.info.dtype = DTypeByName(nb::cast<std::string>(entry[0])).value();
  item.info.shape = nb::cast<Shape>(entry[1]);
  item.buffer = std::make_unique<Buffer>(entry[2]);
  return item;
}

}  // namespace weightsmith::internal::python
