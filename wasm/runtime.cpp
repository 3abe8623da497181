// What the verifier takes of its surroundings, inside the WebAssembly module, so that the module imports nothing.
//
// The C++ library for wasm32-wasi has no exceptions. Lack of memory, which other builds turn into an error, ends the instance here:
// by a trap, after which whorl_wasm_end() names the reason.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <typeinfo>

namespace {

enum class End : std::int32_t { kNone = 0, kNoMemory = 1, kInternal = 2 };
End end_reason = End::kNone;

[[noreturn]] void end_instance(End reason) {
    end_reason = reason;
    __builtin_trap();
}

bool is_lack_of_memory(const std::type_info& type) {
    return type == typeid(std::bad_alloc) || type == typeid(std::bad_array_new_length) ||
           type == typeid(std::length_error);
}

// WASI's number for "bad file descriptor".
constexpr std::int32_t kBadDescriptor = 8;

}  // namespace

/// Why the instance ended: 0 it has not, or by a trap of the code's own; 1 for lack of memory; 2 by a bug.
extern "C" std::int32_t whorl_wasm_end() {
    return static_cast<std::int32_t>(end_reason);
}

void* operator new(std::size_t size) {
    if (void* memory = std::malloc(size != 0 ? size : 1)) return memory;
    end_instance(End::kNoMemory);
}

// NOLINTBEGIN(readability-identifier-naming): the names are the compiler's and the C library's.

// What the compiler makes of `throw`. The exception is never destroyed, and there is at most one.
extern "C" void* __cxa_allocate_exception(std::size_t size) noexcept {
    if (void* memory = std::malloc(size)) return memory;
    end_instance(End::kNoMemory);
}
extern "C" [[noreturn]] void __cxa_throw(void*, std::type_info* type, void (*)(void*)) {
    end_instance(is_lack_of_memory(*type) ? End::kNoMemory : End::kInternal);
}

// The C library would import these to write to standard error before it aborts. There is nothing to write to.
extern "C" std::int32_t __imported_wasi_snapshot_preview1_fd_write(std::int32_t, std::int32_t, std::int32_t,
                                                                   std::int32_t) {
    return kBadDescriptor;
}
extern "C" std::int32_t __imported_wasi_snapshot_preview1_fd_seek(std::int32_t, std::int64_t, std::int32_t,
                                                                  std::int32_t) {
    return kBadDescriptor;
}
extern "C" std::int32_t __imported_wasi_snapshot_preview1_fd_close(std::int32_t) {
    return kBadDescriptor;
}

// NOLINTEND(readability-identifier-naming)
