// Loaded before the C library: the third thread that a program starts, and those after it, are refused for a while.
#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <chrono>

namespace {

using StartThread = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
using Clock = std::chrono::steady_clock;

constexpr int kGranted = 2;  // those of a trial for two workers
constexpr std::chrono::milliseconds kRefusal{300};

std::atomic<int> num_asked = 0;

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                              void* argument) noexcept {
    static const auto start = reinterpret_cast<StartThread>(::dlsym(RTLD_NEXT, "pthread_create"));
    if (++num_asked > kGranted) {
        static const Clock::time_point end = Clock::now() + kRefusal;
        if (Clock::now() < end) return EAGAIN;
    }
    return start(thread, attributes, run, argument);
}
