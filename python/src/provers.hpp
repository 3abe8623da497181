// Proving, checking, planning, devices and task folders for Python.
#pragma once

#include <nanobind/nanobind.h>

namespace whorl::python {

void bind_provers(nanobind::module_& module);
void bind_telemetry(nanobind::module_& module);
void bind_checks(nanobind::module_& module);
void bind_tasks(nanobind::module_& module);

}  // namespace whorl::python
