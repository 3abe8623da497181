#include "backend/cpu/buffer.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "field/simd.hpp"
#include "machine/poison.hpp"

namespace whorl::cpu {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kHugeFrom = 2 * kHugePage;

constexpr std::size_t round_up(std::size_t n, std::size_t to) {
    return (n + to - 1) / to * to;
}

}  // namespace

WordBuffer::WordBuffer(std::size_t num_words) : num_words_(num_words) {
    if (num_words == 0) return;
    if (num_words > (std::size_t{1} << 60)) throw std::bad_alloc();
    const std::size_t bytes = num_words * sizeof(std::uint32_t);
    const bool is_huge = bytes >= kHugeFrom;
    const std::size_t alignment = is_huge ? kHugePage : kCacheLine;
    const std::size_t allocated = round_up(bytes, is_huge ? kHugePage : kCacheLine);
    words_ = static_cast<std::uint32_t*>(std::aligned_alloc(alignment, allocated));
    if (words_ == nullptr) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    if (is_huge) madvise(words_, allocated, MADV_HUGEPAGE);
#endif
    poison_fresh(words_, allocated);
}

WordBuffer::~WordBuffer() {
    std::free(words_);
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
