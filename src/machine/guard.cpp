#include "machine/guard.hpp"

#include <exception>
#include <new>
#include <system_error>

#include "machine/stop.hpp"

namespace whorl {
namespace {

// Fits into a std::string without memory of its own (15 characters in libstdc++, 22 in libc++).
constexpr const char* kOutOfMemory = "out of memory";

constexpr std::string_view kNotEnoughMemory = "not enough memory";
constexpr std::string_view kNoThread =
    "the system refused to start a thread: raise the number of processes allowed (ulimit -u, pids.max of the control "
    "group) or the address space (ulimit -v), or ask for fewer threads";

}  // namespace

Error guarded_error(ErrorCode code, std::string_view stage, std::string_view message) noexcept {
    Error error;
    error.code = code;
    try {
        error.stage = stage;
        error.message = message;
    } catch (...) {
        error.stage.clear();
        error.message = out_of_memory_text();
    }
    return error;
}

bool is_lack_of_memory(const Error& error) noexcept {
    return error.code == ErrorCode::kMachine && (error.message == kNotEnoughMemory || error.message == kOutOfMemory);
}

std::string out_of_memory_text() noexcept {
    return kOutOfMemory;
}

Error error_of_exception(std::string_view stage) noexcept {
    try {
        throw;
    } catch (const Stopped&) {
        return guarded_error(ErrorCode::kCancelled, stage, "stopped, as the caller asked");
    } catch (const std::bad_alloc&) {
        return guarded_error(ErrorCode::kMachine, stage, kNotEnoughMemory);
    } catch (const std::length_error&) {
        return guarded_error(ErrorCode::kMachine, stage, "not enough memory: more was asked for than can be addressed");
    } catch (const MachineError& e) {
        return guarded_error(ErrorCode::kMachine, stage, e.what());
    } catch (const std::system_error& e) {
        if (e.code() == std::errc::resource_unavailable_try_again || e.code() == std::errc::not_enough_memory)
            return guarded_error(ErrorCode::kMachine, stage, kNoThread);
        return guarded_error(ErrorCode::kInternal, stage, e.what());
    } catch (const std::exception& e) {
        // oneTBB's own words, where it fails in the calling thread.
        if (std::string_view(e.what()).find("pthread_create") != std::string_view::npos)
            return guarded_error(ErrorCode::kMachine, stage, kNoThread);
        return guarded_error(ErrorCode::kInternal, stage, e.what());
    } catch (...) {
        return guarded_error(ErrorCode::kInternal, stage, "an exception of unknown type");
    }
}

}  // namespace whorl
