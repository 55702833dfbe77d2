// What each file of bindings adds to the module weightsmith._native.
#pragma once

#include <nanobind/nanobind.h>

namespace weightsmith::python {

void BindErrors(nanobind::module_& module);
void BindCheckpoint(nanobind::module_& module);
void BindTensor(nanobind::module_& module);
void BindSave(nanobind::module_& module);
void BindPlan(nanobind::module_& module);
void BindJobs(nanobind::module_& module);

}  // namespace weightsmith::python
