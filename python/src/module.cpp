// The extension module whorl._core: whorl's C++ interface for the Python package beside it.
#include <nanobind/nanobind.h>

#include <cstdlib>

#include <whorl/field.hpp>
#include <whorl/version.hpp>

#include "keys.hpp"
#include "matrices.hpp"
#include "proofs.hpp"
#include "provers.hpp"
#include "released.hpp"

NB_MODULE(_core, module) {
    // Reports of what is still referred to at the end of the process, such as the traceback of its last exception, are for tests.
    nanobind::set_leak_warnings(std::getenv("WHORL_PYTHON_LEAKS") != nullptr);
    module.attr("VERSION") = WHORL_VERSION;
    module.attr("MODULUS") = whorl::Fp::kModulus;
    whorl::python::bind_released(module);
    whorl::python::bind_matrices(module);
    whorl::python::bind_params(module);
    whorl::python::bind_keys(module);
    whorl::python::bind_airs(module);
    whorl::python::bind_proofs(module);
    whorl::python::bind_telemetry(module);
    whorl::python::bind_provers(module);
    whorl::python::bind_checks(module);
    whorl::python::bind_tasks(module);
}
