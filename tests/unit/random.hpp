// Random field elements with a fixed seed; WHORL_SEED overrides it and failures print it.
#pragma once

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <whorl/field.hpp>

namespace whorl::test {

class Random {
public:
    Random() : Random(seed_of_run()) {}
    explicit Random(std::uint64_t seed) : engine_(seed) {}

    std::uint64_t next() { return engine_(); }
    std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(engine_() % limit); }
    template <class T>
    const T& one_of(const std::vector<T>& values) {
        return values[below(static_cast<std::uint32_t>(values.size()))];
    }
    Fp fp() { return Fp::from_canonical(below(Fp::kModulus)); }
    Fp4 fp4() { return {fp(), fp(), fp(), fp()}; }
    std::vector<Fp> fps(std::size_t count) {
        std::vector<Fp> out(count);
        for (Fp& x : out) x = fp();
        return out;
    }
    std::vector<Fp4> fp4s(std::size_t count) {
        std::vector<Fp4> out(count);
        for (Fp4& x : out) x = fp4();
        return out;
    }

    /// WHORL_SEED, or 1.
    static std::uint64_t seed_of_run() {
        const char* text = std::getenv("WHORL_SEED");
        const std::uint64_t value = text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
        ::testing::Test::RecordProperty("seed", std::to_string(value));
        return value;
    }

private:
    std::mt19937_64 engine_;
};

}  // namespace whorl::test
