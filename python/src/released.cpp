#include "released.hpp"

#include <atomic>
#include <chrono>
#include <thread>

namespace nb = nanobind;

namespace whorl::python {
namespace {

std::atomic<bool> is_ending = false;
std::atomic<int> num_returning = 0;  // threads that ask for the GIL
std::thread::id main_thread;

}  // namespace

Released::~Released() {
    ++num_returning;
    if (is_ending && std::this_thread::get_id() != main_thread) {
        --num_returning;
        for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
    PyEval_RestoreThread(state_);
    --num_returning;
}

void bind_released(nb::module_& module) {
    // Threads that are not daemons have ended before this is called.
    module.def("_end", [] {
        main_thread = std::this_thread::get_id();
        is_ending = true;
        // Those that asked before get it now, while Python still gives it.
        while (num_returning > 0) {
            PyThreadState* state = PyEval_SaveThread();
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            PyEval_RestoreThread(state);
        }
    });
    nb::module_::import_("atexit").attr("register")(module.attr("_end"));
}

}  // namespace whorl::python
