// Work without the GIL.
#pragma once

#include <nanobind/nanobind.h>

namespace whorl::python {

/// Lets go of the GIL from construction to destruction. At the end of the process Python ends the daemon threads that ask for the GIL, in a
/// way that C++ does not survive; such a thread waits here instead, until it ends with the process.
class Released {
public:
    Released() : state_(PyEval_SaveThread()) {}
    ~Released();
    Released(const Released&) = delete;
    Released& operator=(const Released&) = delete;

private:
    PyThreadState* state_;
};

/// Registers what tells Released that the process ends.
void bind_released(nanobind::module_& module);

}  // namespace whorl::python
