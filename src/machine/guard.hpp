// The guard of all public calls: what is thrown inside becomes an Error, however little memory is left.
// (Without exceptions, as in WebAssembly, nothing is caught, and what is thrown ends the instance: wasm/runtime.cpp.)
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <whorl/error.hpp>

namespace whorl {

/// The machine cannot do what was asked: a device that failed, too little memory of some kind. The message says what and
/// advises.
struct MachineError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The exception that the calling handler has caught, as an Error: kMachine for lack of memory or threads and for
/// MachineError, kCancelled for Stopped (stop.hpp), kInternal for all others. Where memory does not suffice for its text, the text is "out of memory".
Error error_of_exception(std::string_view stage) noexcept;

/// An error whose message becomes "out of memory" where there is none for the text.
Error guarded_error(ErrorCode code, std::string_view stage, std::string_view message) noexcept;

/// Whether error_of_exception made `error` of a failed allocation in host memory.
bool is_lack_of_memory(const Error& error) noexcept;

/// The text "out of memory", which takes no memory.
std::string out_of_memory_text() noexcept;

/// `work()`, a Result, or the error that its exception stands for.
template <class Work>
auto guarded(std::string_view stage, const Work& work) noexcept -> decltype(work()) {
    try {
        return work();
    } catch (...) {
        return error_of_exception(stage);
    }
}

/// `work()`, a text for people, or "out of memory".
template <class Work>
std::string guarded_text(const Work& work) noexcept {
    try {
        return work();
    } catch (...) {
        return out_of_memory_text();
    }
}

}  // namespace whorl
