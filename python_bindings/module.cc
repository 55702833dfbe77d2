#include <nanobind/stl/string.h>

#include <string>

#include "core/base/version.h"
#include "python_bindings/bindings.h"

NB_MODULE(_native, module) {
  module.doc() = "The engine of weightsmith; use the package weightsmith.";
  module.attr("version") = std::string(weightsmith::Version());
  weightsmith::python::BindErrors(module);
  weightsmith::python::BindCheckpoint(module);
  weightsmith::python::BindTensor(module);
  weightsmith::python::BindSave(module);
  weightsmith::python::BindPlan(module);
  weightsmith::python::BindJobs(module);
}
