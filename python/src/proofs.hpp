// Proofs, statements and verdicts for Python.
#pragma once

#include <nanobind/nanobind.h>

namespace whorl::python {

void bind_proofs(nanobind::module_& module);

}  // namespace whorl::python
