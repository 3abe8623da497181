// Parameters, keys and AIRs for Python.
#pragma once

#include <nanobind/nanobind.h>

#include <optional>

#include <whorl/air.hpp>
#include <whorl/key.hpp>

namespace whorl::python {

/// The verifying key of a VerifyingKey or a ProvingKey of Python; it lives as long as that.
const VerifyingKey& verifying_key(nanobind::handle key);

void bind_params(nanobind::module_& module);
void bind_keys(nanobind::module_& module);
void bind_airs(nanobind::module_& module);

}  // namespace whorl::python
