// Which sanitizer a file is compiled for, if any: GCC and clang say it differently.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define WHORL_ASAN
#elif defined(__SANITIZE_THREAD__)
#define WHORL_TSAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WHORL_ASAN
#elif __has_feature(thread_sanitizer)
#define WHORL_TSAN
#elif __has_feature(memory_sanitizer)
#define WHORL_MSAN
#endif
#endif

// Any of those that stand in the place of the C library's functions and reserve address space.
#if defined(WHORL_ASAN) || defined(WHORL_TSAN) || defined(WHORL_MSAN)
#define WHORL_SANITIZED
#endif
