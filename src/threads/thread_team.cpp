#include "threads/thread_team.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <tbb/info.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "machine/memory.hpp"
#include "threads/parallel.hpp"

namespace whorl {
namespace {

constexpr unsigned kMaxTried = 1U << 16;
// Left to others where the system grants fewer threads than are wanted: a progress line, other programs of the user.
constexpr unsigned kSpare = 2;
// Address space that threads leave to their work.
constexpr std::size_t kSpareBytes = std::size_t{128} << 20;

// The heap that glibc reserves for a thread: it maps twice as much and gives half of it back.
constexpr std::size_t kHeapBytes = std::size_t{128} << 20;

// How many threads the limit on address space has room for, whatever they do at the same time: a trial alone cannot tell, since
// where space ends some of its threads go without a heap of their own.
unsigned num_affordable_threads() {
    const std::optional<MemoryLimit> limit = address_space_limit();
    if (!limit) return kMaxTried;
    pthread_attr_t attributes;
    std::size_t stack_bytes = 0;
    if (::pthread_attr_init(&attributes) != 0) return 0;
    ::pthread_attr_getstacksize(&attributes, &stack_bytes);
    ::pthread_attr_destroy(&attributes);
    const std::uint64_t available = limit->available() > kSpareBytes ? limit->available() - kSpareBytes : 0;
    return static_cast<unsigned>(std::min<std::uint64_t>(kMaxTried, available / (stack_bytes + kHeapBytes)));
}

// Address space held, and given back at the end.
class Reserve {
public:
    explicit Reserve(std::size_t bytes)
        : bytes_(bytes), begin_(::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {}
    ~Reserve() {
        if (is_held()) ::munmap(begin_, bytes_);
    }
    Reserve(const Reserve&) = delete;
    Reserve& operator=(const Reserve&) = delete;
    bool is_held() const { return begin_ != MAP_FAILED; }

private:
    std::size_t bytes_;
    void* begin_;
};

// oneTBB's workers that are known to run, and what keeps them and their number.
struct Workers {
    std::mutex mutex;
    unsigned num_threads = 1;  // with the calling thread
    std::unique_ptr<tbb::task_arena> keeper;
    std::unique_ptr<tbb::global_control> limit;  // where the system grants no more
};

// Never destroyed: workers may outlive main().
Workers& workers() {
    static Workers* const instance = new Workers;
    return *instance;
}

// Makes oneTBB start its workers now: pieces of work that wait for each other until all have a thread.
void start_workers(unsigned num_threads) {
    constexpr std::chrono::milliseconds kPatience{500};
    std::atomic<unsigned> num_arrived{0};
    const auto end = std::chrono::steady_clock::now() + kPatience;
    tbb::task_arena arena(static_cast<int>(num_threads));
    arena.execute([&] {
        for_each_task(num_threads, [&](unsigned) {
            ++num_arrived;
            while (num_arrived < num_threads && std::chrono::steady_clock::now() < end) std::this_thread::yield();
        });
    });
}

}  // namespace

unsigned num_startable_threads(unsigned wanted) noexcept {
    const Reserve reserve(kSpareBytes);
    if (!reserve.is_held()) return 0;
    std::mutex mutex;
    std::condition_variable changed;
    bool may_end = false;
    std::vector<std::thread> threads;
    try {
        threads.reserve(wanted);
        while (threads.size() < wanted) {
            threads.emplace_back([&] {
                // As a worker will, a thread makes the C library reserve a heap for it.
                void* volatile heap = std::malloc(1);
                std::free(heap);
                std::unique_lock lock(mutex);
                changed.wait(lock, [&] { return may_end; });
            });
        }
    } catch (...) {  // std::system_error, std::bad_alloc: as many as there are
    }
    {
        const std::lock_guard lock(mutex);
        may_end = true;
    }
    changed.notify_all();
    for (std::thread& thread : threads) thread.join();
    return static_cast<unsigned>(threads.size());
}

ThreadTeam::ThreadTeam(std::uint32_t wanted) {
    const auto num_cores = static_cast<unsigned>(tbb::info::default_concurrency());
    wanted_ = wanted == 0 ? num_cores : std::min(wanted, kMaxTried);
    size_ = wanted_;
    // The caller's program may allow oneTBB fewer threads than there are cores.
    const std::size_t allowed = tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
    if (allowed < num_cores) size_ = std::min(size_, static_cast<unsigned>(allowed));
    if (size_ == 1) return;

    Workers& all = workers();
    const std::lock_guard lock(all.mutex);
    if (size_ > all.num_threads) {
        const unsigned missing = size_ - all.num_threads;
        const unsigned startable = num_startable_threads(std::min(missing, num_affordable_threads()));
        if (startable < missing) size_ = all.num_threads + (startable > kSpare ? startable - kSpare : 0);
    }
    if (size_ < wanted_ && allowed >= num_cores) {
        all.limit.reset();
        all.limit = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism, size_);
    } else if (size_ > allowed) {
        allowed_.emplace(tbb::global_control::max_allowed_parallelism, size_);
    }
    if (size_ <= all.num_threads) return;
    start_workers(size_);
    auto keeper = std::make_unique<tbb::task_arena>(static_cast<int>(size_));
    keeper->initialize();
    all.keeper = std::move(keeper);
    all.num_threads = size_;
}

}  // namespace whorl
