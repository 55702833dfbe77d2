#include <nanobind/stl/string.h>

#include <string>

#include "core/base/version.h"
#include "python_bindings/bindings.h"

NB_MODULE(_native, module) {
  module.doc() = "The engine of weightsmith; use the package weightsmith.";
  module.attr("version") = std::string(weightsmith::internal::Version());
  weightsmith::internal::python::BindErrors(module);
  weightsmith::internal::python::BindCheckpoint(module);
  weightsmith::internal::python::BindTensor(module);
  weightsmith::internal::python::BindSave(module);
  weightsmith::internal::python::BindPlan(module);
  weightsmith::internal::python::BindJobs(module);
}
