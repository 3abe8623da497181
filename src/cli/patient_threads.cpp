// oneTBB ends the process where the system refuses it a thread. ThreadTeam tries first how many there are, but between the trial and
// the start another program of the same user can take the last one. The program therefore stands in the place of pthread_create for
// itself and its libraries: to oneTBB a refusal is no answer until some seconds have passed.
#include <dlfcn.h>
#include <pthread.h>
#include <time.h>

#include <cerrno>
#include <cstring>

#include "machine/sanitizers.hpp"

// The sanitizers stand there themselves.
#if defined(__linux__) && !defined(WHORL_SANITIZED)

namespace {

using StartThread = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

constexpr long kStepNanoseconds = 5'000'000;
constexpr int kSteps = 2000;  // ten seconds

bool is_in_tbb(const void* code) {
    Dl_info found{};
    return ::dladdr(code, &found) != 0 && found.dli_fname != nullptr &&
           std::strstr(found.dli_fname, "libtbb") != nullptr;
}

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                              void* argument) noexcept {
    static const auto start = reinterpret_cast<StartThread>(::dlsym(RTLD_NEXT, "pthread_create"));
    const void* const caller = __builtin_return_address(0);
    for (int step = 0;; ++step) {
        const int error = start(thread, attributes, run, argument);
        if (error != EAGAIN || step == kSteps || !is_in_tbb(caller)) return error;
        const timespec pause{.tv_sec = 0, .tv_nsec = kStepNanoseconds};
        ::nanosleep(&pause, nullptr);
    }
}

#endif
