// Replaces malloc and its like, and pthread_create, for the whole program, its libraries included.
#include "machine/faults.hpp"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include "machine/sanitizers.hpp"

namespace whorl::test {

AllocationFaults& allocation_faults() {
    static constinit AllocationFaults instance;
    return instance;
}

std::atomic<std::int64_t>& num_threads_granted() {
    static constinit std::atomic<std::int64_t> instance{kAnyNumberOfThreads};
    return instance;
}

FailingAllocations::FailingAllocations(std::uint64_t k, std::uint64_t count, std::uint64_t smallest) {
    AllocationFaults& faults = allocation_faults();
    faults.num_allocations = 0;
    faults.num_failing = count;
    faults.smallest_failing = smallest;
    faults.first_failing = k;
}
FailingAllocations::~FailingAllocations() {
    allocation_faults().first_failing = AllocationFaults::kNever;
}
std::uint64_t FailingAllocations::num_seen() const {
    return allocation_faults().num_allocations;
}

namespace {

bool fails(std::size_t bytes) {
    AllocationFaults& faults = allocation_faults();
    if (bytes < faults.smallest_failing) return false;
    const std::uint64_t first = faults.first_failing;
    const std::uint64_t index = faults.num_allocations++;
    if (first == AllocationFaults::kNever || index < first || index - first >= faults.num_failing) return false;
    errno = ENOMEM;
    return true;
}

}  // namespace
}  // namespace whorl::test

extern "C" {

using StartThread = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

// A thread whose end makes room for another.
struct CountedThread {
    void* (*run)(void*);
    void* argument;
};
static void* run_counted(void* counted) {
    const CountedThread thread = *static_cast<CountedThread*>(counted);
    std::free(counted);
    void* const result = thread.run(thread.argument);
    ++whorl::test::num_threads_granted();
    return result;
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) {
    static const auto start = reinterpret_cast<StartThread>(dlsym(RTLD_NEXT, "pthread_create"));
    auto& granted = whorl::test::num_threads_granted();
    if (granted == whorl::test::kAnyNumberOfThreads) return start(thread, attributes, run, argument);
    auto* counted = static_cast<CountedThread*>(std::malloc(sizeof(CountedThread)));
    if (counted == nullptr) return EAGAIN;
    *counted = {run, argument};
    if (--granted >= 0 && start(thread, attributes, run_counted, counted) == 0) return 0;
    ++granted;
    std::free(counted);
    return EAGAIN;
}

#ifndef WHORL_SANITIZED
// NOLINTBEGIN(readability-identifier-naming): glibc's names
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
// NOLINTEND(readability-identifier-naming)

static void* count_live(void* memory) {
    auto& faults = whorl::test::allocation_faults();
    if (memory == nullptr) return nullptr;
    const std::uint64_t live = faults.live_bytes += malloc_usable_size(memory);
    std::uint64_t peak = faults.peak_bytes;
    while (live > peak && !faults.peak_bytes.compare_exchange_weak(peak, live)) {
    }
    return memory;
}

void* malloc(std::size_t bytes) {
    return whorl::test::fails(bytes) ? nullptr : count_live(__libc_malloc(bytes));
}
void* calloc(std::size_t count, std::size_t bytes) {
    return whorl::test::fails(count * bytes) ? nullptr : count_live(__libc_calloc(count, bytes));
}
void free(void* memory) {
    if (memory != nullptr) whorl::test::allocation_faults().live_bytes -= malloc_usable_size(memory);
    __libc_free(memory);
}
void* realloc(void* memory, std::size_t bytes) {
    if (whorl::test::fails(bytes)) return nullptr;
    if (memory != nullptr) whorl::test::allocation_faults().live_bytes -= malloc_usable_size(memory);
    return count_live(__libc_realloc(memory, bytes));
}
void* memalign(std::size_t alignment, std::size_t bytes) {
    return whorl::test::fails(bytes) ? nullptr : count_live(__libc_memalign(alignment, bytes));
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
    return memalign(alignment, bytes);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
    *memory = memalign(alignment, bytes);
    return *memory == nullptr ? ENOMEM : 0;
}
#endif

}  // extern "C"

#ifdef WHORL_SANITIZED
// The sanitizer's malloc stays; what C++ code allocates fails.
#include <new>
void* operator new(std::size_t bytes) {
    if (whorl::test::fails(bytes)) throw std::bad_alloc();
    if (void* memory = std::malloc(bytes)) return memory;
    throw std::bad_alloc();
}
// The sanitizer's own does not come here, and its memory is not for free().
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    return whorl::test::fails(bytes) ? nullptr : std::malloc(bytes);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
#endif
