// What each file of bindings adds to the module weightsmith._native.
#pragma once

#include <nanobind/nanobind.h>

#include <string>

#include "core/base/error.h"

namespace weightsmith::internal::python {

/// The advice of an error, with how Python spells each of its options.
std::string AdviceOf(const Error& error);

void BindErrors(nanobind::module_& module);
void BindCheckpoint(nanobind::module_& module);
void BindTensor(nanobind::module_& module);
void BindSave(nanobind::module_& module);
void BindPlan(nanobind::module_& module);
void BindJobs(nanobind::module_& module);

}  // namespace weightsmith::internal::python
