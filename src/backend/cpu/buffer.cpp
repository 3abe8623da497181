#include "backend/cpu/buffer.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "field/simd.hpp"
#include "machine/page_pool.hpp"
#include "machine/pages.hpp"
#include "machine/poison.hpp"
#include "machine/sanitizers.hpp"

namespace whorl::cpu {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kPagesFrom = 2 * kHugePage;

#ifdef WHORL_ASAN
constexpr bool kHasPool = false;  // AddressSanitizer sees the ends of what malloc gives, and only those
#else
constexpr bool kHasPool = true;
#endif

bool is_pooled(std::size_t num_bytes) {
    return kHasPool && num_bytes >= kPagesFrom;
}

std::size_t whole_lines(std::size_t num_bytes) {
    return (num_bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
}

}  // namespace

WordBuffer::WordBuffer(std::size_t num_words) : num_words_(num_words) {
    if (num_words == 0) return;
    if (num_words > (std::size_t{1} << 60)) throw std::bad_alloc();
    const std::size_t num_bytes = whole_lines(num_words * sizeof(std::uint32_t));
    void* const memory = is_pooled(num_bytes) ? take_pages(num_bytes) : std::aligned_alloc(kCacheLine, num_bytes);
    if (memory == nullptr) throw std::bad_alloc();
    words_ = static_cast<std::uint32_t*>(memory);
    poison_fresh(words_, num_bytes);
}

WordBuffer::~WordBuffer() {
    const std::size_t num_bytes = whole_lines(num_words_ * sizeof(std::uint32_t));
    if (is_pooled(num_bytes)) {
        give_pages(words_, num_bytes);
    } else {
        std::free(words_);
    }
}

void WordBuffer::fill_zero() {
    if (words_ != nullptr) std::memset(words_, 0, num_words_ * sizeof(std::uint32_t));
}

ExtTable::ExtTable(std::size_t n) : words_(4 * padded_size(n)), size_(n), stride_(padded_size(n)) {
    for (unsigned c = 0; c < 4; ++c) std::fill(data() + c * stride_ + size_, data() + (c + 1) * stride_, 0);
}

Fp4 ExtTable::at(std::size_t i) const {
    Fp4 value;
    for (unsigned c = 0; c < 4; ++c) value.c[c] = Fp::from_montgomery(data()[c * stride_ + i]);
    return value;
}

void ExtTable::set(std::size_t i, const Fp4& value) {
    for (unsigned c = 0; c < 4; ++c) data()[c * stride_ + i] = value.c[c].montgomery();
}

}  // namespace whorl::cpu
