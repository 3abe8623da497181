// Large uninitialised arrays of field words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <whorl/field.hpp>

namespace whorl::cpu {

/// Words aligned to a cache line; from a few megabytes up in huge pages where the system grants them, because a proof
/// touches each page only a few times. Throws std::bad_alloc.
class WordBuffer {
public:
    WordBuffer() = default;
    explicit WordBuffer(std::size_t num_words);
    ~WordBuffer();
    WordBuffer(WordBuffer&& other) noexcept { swap(other); }
    WordBuffer& operator=(WordBuffer&& other) noexcept {
        WordBuffer(std::move(other)).swap(*this);
        return *this;
    }
    WordBuffer(const WordBuffer&) = delete;
    WordBuffer& operator=(const WordBuffer&) = delete;

    std::uint32_t* data() { return words_; }
    const std::uint32_t* data() const { return words_; }
    std::size_t size() const { return num_words_; }
    void fill_zero();

private:
    void swap(WordBuffer& other) noexcept {
        std::swap(words_, other.words_);
        std::swap(num_words_, other.num_words_);
    }

    std::uint32_t* words_ = nullptr;
    std::size_t num_words_ = 0;
};

/// A table of n extension elements: four planes of words, `stride` apart; padded to whole vectors.
class ExtTable {
public:
    ExtTable() = default;
    /// The padding, and only it, is zeroed.
    explicit ExtTable(std::size_t n);

    std::size_t size() const { return size_; }
    std::size_t stride() const { return stride_; }
    std::uint32_t* data() { return words_.data(); }
    const std::uint32_t* data() const { return words_.data(); }
    Fp4 at(std::size_t i) const;
    void set(std::size_t i, const Fp4& value);
    void fill_zero() { words_.fill_zero(); }
    /// Sets all elements from `first` on.
    void fill_from(std::size_t first, const Fp4& value) {
        for (std::size_t i = first; i < size_; ++i) set(i, value);
    }

private:
    WordBuffer words_;
    std::size_t size_ = 0;
    std::size_t stride_ = 0;
};

}  // namespace whorl::cpu
