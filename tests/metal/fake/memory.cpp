#include "memory.hpp"

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <mutex>

#include "kernel_table.hpp"
#include "object.hpp"

namespace fake_metal {
namespace {

constexpr std::uint64_t kGuardBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kMappingBytes = 16384;  // mappings are multiples of it: the page of Apple's devices
constexpr std::uint64_t kAlignment = 256;       // of a buffer's first byte

std::uint64_t round_up(std::uint64_t bytes, std::uint64_t multiple) {
    return (bytes + multiple - 1) / multiple * multiple;
}

int protection(Access access) {
    switch (access) {
        case Access::kNone:
            return PROT_NONE;
        case Access::kRead:
            return PROT_READ;
        case Access::kReadWrite:
            return PROT_READ | PROT_WRITE;
    }
    return PROT_NONE;
}

/// Maps a file, or fresh memory where it is -1, between guards.
std::byte* map_between_guards(std::uint64_t bytes, int file) {
    void* reserved =
        mmap(nullptr, bytes + 2 * kGuardBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) misuse("no address space for {} bytes", bytes);
    auto* at = static_cast<std::byte*>(reserved) + kGuardBytes;
    const int flags = MAP_FIXED | (file == -1 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
    if (mmap(at, bytes, PROT_READ | PROT_WRITE, flags, file, 0) == MAP_FAILED) misuse("no memory for {} bytes", bytes);
    return at;
}
void unmap(std::byte* mapping, std::uint64_t bytes) {
    if (mapping != nullptr) munmap(mapping - kGuardBytes, bytes + 2 * kGuardBytes);
}

/// Copies what the host has around the bytes it means, too, which sanitizers would object to.
void copy_whole_pages(void* to, const void* from, std::uint64_t bytes) {
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

thread_local FaultGuard* fault_guard = nullptr;
struct sigaction previous_action;

void on_fault(int signal, siginfo_t* info, void* context) {
    FaultGuard* guard = fault_guard;
    if (guard == nullptr) {
        // Not a kernel's: whoever handled it before does, when the instruction is tried again.
        sigaction(signal, &previous_action, nullptr);
        return;
    }
    constexpr std::uint64_t kWriteBit = 2;  // of the processor's error code
    guard->address = static_cast<const std::byte*>(info->si_addr);
    guard->is_write = (static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR] & kWriteBit) != 0;
    siglongjmp(guard->environment, 1);
}

void install_handler() {
    static std::once_flag once;
    std::call_once(once, [] {
        struct sigaction action = {};
        action.sa_sigaction = &on_fault;
        action.sa_flags = SA_SIGINFO | SA_NODEFER;  // the handler does not return, so the signal must not stay blocked
        sigaction(SIGSEGV, &action, &previous_action);
    });
}

}  // namespace

DeviceMemory::DeviceMemory(std::uint64_t bytes, bool is_host_visible)
    : bytes_(bytes), mapping_bytes_(round_up(bytes, kMappingBytes)) {
    const int file = is_host_visible ? memfd_create("fake-metal", 0) : -1;
    if (is_host_visible && (file == -1 || ftruncate(file, static_cast<off_t>(mapping_bytes_)) != 0))
        misuse("no memory for {} bytes", bytes);
    mapping_ = map_between_guards(mapping_bytes_, file);
    // What follows the last byte should be the guard.
    const std::uint64_t offset = mapping_bytes_ - round_up(bytes, kAlignment);
    device_ = mapping_ + offset;
    if (is_host_visible) {
        host_mapping_ = map_between_guards(mapping_bytes_, file);
        host_ = host_mapping_ + offset;
        close(file);
    }
    std::memset(mapping_, kPoison, mapping_bytes_);
    allow(Access::kNone);
}

DeviceMemory::DeviceMemory(const void* host, std::uint64_t bytes) : DeviceMemory(bytes, false) {
    wrapped_ = host;
    host_ = static_cast<std::byte*>(const_cast<void*>(host));
}

DeviceMemory::~DeviceMemory() {
    unmap(mapping_, mapping_bytes_);
    unmap(host_mapping_, mapping_bytes_);
}

void DeviceMemory::refresh() {
    allow(Access::kReadWrite);
    copy_whole_pages(device_, wrapped_, bytes_);
}

void DeviceMemory::allow(Access access) {
    if (access == access_) return;
    if (mprotect(mapping_, mapping_bytes_, protection(access)) != 0) misuse("mprotect: {}", std::strerror(errno));
    access_ = access;
}

std::uint64_t DeviceMemory::distance(const std::byte* address) const {
    if (address < device_) return static_cast<std::uint64_t>(device_ - address);
    if (address >= device_ + bytes_) return static_cast<std::uint64_t>(address - (device_ + bytes_)) + 1;
    return 0;
}

FaultGuard* exchange_fault_guard(FaultGuard* guard) {
    install_handler();
    return std::exchange(fault_guard, guard);
}

}  // namespace fake_metal
