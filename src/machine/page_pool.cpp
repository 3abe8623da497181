#include "machine/page_pool.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <mutex>
#include <new>

#include "machine/pages.hpp"

namespace whorl {
namespace {

using Address = std::uintptr_t;

void* pointer_to(Address address) {
    return reinterpret_cast<void*>(address);  // NOLINT(performance-no-int-to-ptr): of a mapping
}

std::size_t whole_pages(std::size_t num_bytes) {
    if (num_bytes > std::numeric_limits<std::size_t>::max() / 4) throw std::bad_alloc();
    return (num_bytes + kHugePage - 1) / kHugePage * kHugePage;
}

// New memory of whole huge pages, aligned to them.
Address map_pages(std::size_t size) {
    const std::size_t mapped = size + kHugePage;
    void* const pages = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    const auto begin = reinterpret_cast<Address>(pages);
    const Address first = (begin + kHugePage - 1) / kHugePage * kHugePage;
    if (first != begin) ::munmap(pages, first - begin);
    if (const std::size_t rest = begin + mapped - (first + size); rest != 0) ::munmap(pointer_to(first + size), rest);
    advise_huge_pages(pointer_to(first), size);
    return first;
}

class Pool {
public:
    Address take(std::size_t size) {
        const Address taken = find(size);
        const std::lock_guard lock(mutex_);
        bytes_.in_use += size;
        bytes_.peak_in_use = std::max(bytes_.peak_in_use, bytes_.in_use);
        return taken;
    }

    void give(Address address, std::size_t size) noexcept {
        const std::lock_guard lock(mutex_);
        bytes_.in_use -= size;
        if (num_uses_ == 0 || !keep(address, size)) ::munmap(pointer_to(address), size);
    }

    void begin_use() noexcept {
        const std::lock_guard lock(mutex_);
        if (num_uses_++ == 0) bytes_.peak_in_use = bytes_.in_use;
    }
    void end_use() noexcept {
        const std::lock_guard lock(mutex_);
        if (--num_uses_ == 0) release(std::numeric_limits<std::size_t>::max());
    }

    PagePoolBytes bytes() noexcept {
        const std::lock_guard lock(mutex_);
        return bytes_;
    }

private:
    // Idle pages, or new ones.
    Address find(std::size_t size) {
        {
            const std::lock_guard lock(mutex_);
            // The smallest that fits, so that large ones stay whole.
            auto best = idle_.end();
            for (auto it = idle_.begin(); it != idle_.end(); ++it) {
                if (it->second >= size && (best == idle_.end() || it->second < best->second)) best = it;
            }
            if (best != idle_.end()) {
                // Its end, so that the entry of the rest stays.
                best->second -= size;
                bytes_.idle -= size;
                const Address taken = best->first + best->second;
                if (best->second == 0) idle_.erase(best);
                return taken;
            }
            release(size);
        }
        return map_pages(size);
    }

    // Gives `size` idle bytes back to the system, or all where there are fewer.
    void release(std::size_t size) noexcept {
        while (size != 0 && !idle_.empty()) {
            const auto last = std::prev(idle_.end());
            const std::size_t part = std::min(size, last->second);
            last->second -= part;
            ::munmap(pointer_to(last->first + last->second), part);
            bytes_.idle -= part;
            size -= part;
            if (last->second == 0) idle_.erase(last);
        }
    }

    // False where there is no memory to remember it.
    bool keep(Address address, std::size_t size) noexcept {
        const auto next = idle_.lower_bound(address);
        const bool joins_next = next != idle_.end() && address + size == next->first;
        if (next != idle_.begin()) {
            const auto before = std::prev(next);
            if (before->first + before->second == address) {
                before->second += size;
                if (joins_next) {
                    before->second += next->second;
                    idle_.erase(next);
                }
                bytes_.idle += size;
                return true;
            }
        }
        if (joins_next) {
            auto node = idle_.extract(next);
            node.key() = address;
            node.mapped() += size;
            idle_.insert(std::move(node));
        } else {
            try {
                idle_.emplace(address, size);
            } catch (const std::bad_alloc&) {
                return false;
            }
        }
        bytes_.idle += size;
        return true;
    }

    std::mutex mutex_;
    std::map<Address, std::size_t> idle_;  // sizes in bytes; no two are neighbours
    PagePoolBytes bytes_;
    unsigned num_uses_ = 0;
};

// Never destroyed: workers may outlive main().
Pool& pool() {
    static Pool* const instance = new Pool;
    return *instance;
}

}  // namespace

void* take_pages(std::size_t num_bytes) {
    return pointer_to(pool().take(whole_pages(num_bytes)));
}

void give_pages(void* address, std::size_t num_bytes) noexcept {
    pool().give(reinterpret_cast<Address>(address), whole_pages(num_bytes));
}

PagePoolUse::PagePoolUse() noexcept {
    pool().begin_use();
}

PagePoolUse::~PagePoolUse() {
    pool().end_use();
}

PagePoolBytes page_pool_bytes() noexcept {
    return pool().bytes();
}

}  // namespace whorl
