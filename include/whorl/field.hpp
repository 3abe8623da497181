// BabyBear and its quartic extension: the numbers every other part of whorl is made of (PROTOCOL.md section 2).
//
// An `Fp` holds x·2^32 mod p (Montgomery form), always fully reduced, so two equal elements have equal words.
// Canonical integers enter and leave through `from_canonical`, `from_integer` and `canonical` only.
#pragma once

#include <array>
#include <compare>
#include <concepts>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <type_traits>

namespace whorl {

/// An element of F_p, p = 15·2^27 + 1, in Montgomery form with radix 2^32.
class Fp {
public:
    static constexpr std::uint32_t kModulus = 0x78000001;
    /// p^-1 mod 2^32.
    static constexpr std::uint32_t kModulusInverse = 0x88000001;
    /// 2^64 mod p: multiplying by it enters Montgomery form.
    static constexpr std::uint32_t kRadixSquared = 1172168163;
    /// F* has a subgroup of order 2^27.
    static constexpr unsigned kTwoAdicity = 27;

    constexpr Fp() = default;

    /// Any 32-bit integer, taken mod p.
    static constexpr Fp from_canonical(std::uint32_t x) { return Fp(reduce(std::uint64_t{x} * kRadixSquared)); }
    /// Any integer, taken mod p: -1 is p − 1.
    template <std::integral T>
    static constexpr Fp from_integer(T x) {
        const auto reduced = [](std::uint64_t n) { return from_canonical(static_cast<std::uint32_t>(n % kModulus)); };
        if constexpr (std::is_signed_v<T>) {
            if (x < 0) return -reduced(0 - static_cast<std::uint64_t>(x));
        }
        return reduced(static_cast<std::uint64_t>(x));
    }
    /// `word` must be below p: the Montgomery representation itself.
    static constexpr Fp from_montgomery(std::uint32_t word) { return Fp(word); }
    static constexpr Fp zero() { return Fp(); }
    static constexpr Fp one() { return Fp(0x0ffffffe); }
    static constexpr Fp half() { return Fp::from_canonical((kModulus + 1) / 2); }

    constexpr std::uint32_t canonical() const { return reduce(word_); }
    constexpr std::uint32_t montgomery() const { return word_; }
    constexpr bool is_zero() const { return word_ == 0; }

    friend constexpr Fp operator+(Fp a, Fp b) {
        const std::uint32_t sum = a.word_ + b.word_;
        return Fp(sum >= kModulus ? sum - kModulus : sum);
    }
    friend constexpr Fp operator-(Fp a, Fp b) {
        const std::uint32_t diff = a.word_ - b.word_;
        return Fp(a.word_ < b.word_ ? diff + kModulus : diff);
    }
    friend constexpr Fp operator*(Fp a, Fp b) { return Fp(reduce(std::uint64_t{a.word_} * b.word_)); }
    constexpr Fp operator-() const { return Fp(word_ == 0 ? 0 : kModulus - word_); }
    constexpr Fp& operator+=(Fp b) { return *this = *this + b; }
    constexpr Fp& operator-=(Fp b) { return *this = *this - b; }
    constexpr Fp& operator*=(Fp b) { return *this = *this * b; }
    friend constexpr bool operator==(Fp a, Fp b) = default;

    constexpr Fp square() const { return *this * *this; }
    constexpr Fp pow(std::uint64_t exponent) const {
        Fp result = one();
        for (Fp base = *this; exponent != 0; exponent >>= 1, base = base.square()) {
            if (exponent & 1) result *= base;
        }
        return result;
    }
    /// this^(2^log_exponent).
    constexpr Fp pow2k(unsigned log_exponent) const {
        Fp result = *this;
        for (unsigned i = 0; i < log_exponent; ++i) result = result.square();
        return result;
    }
    /// The inverse; 0 for 0.
    constexpr Fp inverse() const { return pow(kModulus - 2); }

private:
    constexpr explicit Fp(std::uint32_t word) : word_(word) {}

    // Montgomery reduction: x·2^-32 mod p for x < p·2^32.
    static constexpr std::uint32_t reduce(std::uint64_t x) {
        const std::uint32_t q = static_cast<std::uint32_t>(x) * kModulusInverse;
        const std::uint32_t high = static_cast<std::uint32_t>(x >> 32);
        const std::uint32_t correction = static_cast<std::uint32_t>((std::uint64_t{q} * kModulus) >> 32);
        return high < correction ? high - correction + kModulus : high - correction;
    }

    std::uint32_t word_ = 0;
};

/// An element c0 + c1 X + c2 X² + c3 X³ of F_p[X] / (X⁴ − 11).
struct Fp4 {
    static constexpr std::uint32_t kNonResidue = 11;

    std::array<Fp, 4> c{};

    constexpr Fp4() = default;
    constexpr Fp4(Fp base) : c{base, Fp(), Fp(), Fp()} {}  // F embeds as (c, 0, 0, 0)
    constexpr Fp4(Fp c0, Fp c1, Fp c2, Fp c3) : c{c0, c1, c2, c3} {}

    static constexpr Fp4 zero() { return {}; }
    static constexpr Fp4 one() { return Fp4(Fp::one()); }

    constexpr bool is_zero() const { return *this == Fp4(); }
    friend constexpr bool operator==(const Fp4& a, const Fp4& b) = default;

    friend constexpr Fp4 operator+(const Fp4& a, const Fp4& b) {
        return {a.c[0] + b.c[0], a.c[1] + b.c[1], a.c[2] + b.c[2], a.c[3] + b.c[3]};
    }
    friend constexpr Fp4 operator-(const Fp4& a, const Fp4& b) {
        return {a.c[0] - b.c[0], a.c[1] - b.c[1], a.c[2] - b.c[2], a.c[3] - b.c[3]};
    }
    constexpr Fp4 operator-() const { return {-c[0], -c[1], -c[2], -c[3]}; }
    friend constexpr Fp4 operator*(const Fp4& a, Fp b) { return {a.c[0] * b, a.c[1] * b, a.c[2] * b, a.c[3] * b}; }
    friend constexpr Fp4 operator*(Fp a, const Fp4& b) { return b * a; }
    friend constexpr Fp4 operator*(const Fp4& a, const Fp4& b) {
        constexpr Fp w = Fp::from_canonical(kNonResidue);
        return {a.c[0] * b.c[0] + w * (a.c[1] * b.c[3] + a.c[2] * b.c[2] + a.c[3] * b.c[1]),
                a.c[0] * b.c[1] + a.c[1] * b.c[0] + w * (a.c[2] * b.c[3] + a.c[3] * b.c[2]),
                a.c[0] * b.c[2] + a.c[1] * b.c[1] + a.c[2] * b.c[0] + w * (a.c[3] * b.c[3]),
                a.c[0] * b.c[3] + a.c[1] * b.c[2] + a.c[2] * b.c[1] + a.c[3] * b.c[0]};
    }
    constexpr Fp4& operator+=(const Fp4& b) { return *this = *this + b; }
    constexpr Fp4& operator-=(const Fp4& b) { return *this = *this - b; }
    constexpr Fp4& operator*=(const Fp4& b) { return *this = *this * b; }

    constexpr Fp4 square() const { return *this * *this; }
    constexpr Fp4 pow(std::uint64_t exponent) const {
        Fp4 result = one();
        for (Fp4 base = *this; exponent != 0; exponent >>= 1, base = base.square()) {
            if (exponent & 1) result *= base;
        }
        return result;
    }
    /// this^(2^log_exponent).
    constexpr Fp4 pow2k(unsigned log_exponent) const {
        Fp4 result = *this;
        for (unsigned i = 0; i < log_exponent; ++i) result = result.square();
        return result;
    }
    /// The inverse; 0 for 0. With Y = X², (a + bX)(a − bX) lies in F[Y]/(Y² − 11), whose norm to F is inverted.
    constexpr Fp4 inverse() const {
        constexpr Fp w = Fp::from_canonical(kNonResidue);
        const Fp n0 = c[0].square() + w * (c[2].square() - (c[1] * c[3] + c[3] * c[1]));
        const Fp n1 = c[0] * c[2] + c[2] * c[0] - c[1].square() - w * c[3].square();
        const Fp norm_inverse = (n0.square() - w * n1.square()).inverse();
        const Fp m0 = n0 * norm_inverse;
        const Fp m1 = -(n1 * norm_inverse);
        return {c[0] * m0 + w * (c[2] * m1), -(c[1] * m0 + w * (c[3] * m1)), c[2] * m0 + c[0] * m1,
                -(c[3] * m0 + c[1] * m1)};
    }
};

/// The canonical number, and that of each coordinate: "(1, 2, 3, 4)".
inline std::string to_string(Fp x) {
    return std::to_string(x.canonical());
}
inline std::string to_string(const Fp4& x) {
    std::string text;
    for (const Fp c : x.c) {
        text += text.empty() ? "(" : ", ";
        text += to_string(c);
    }
    text += ')';
    return text;
}

/// The same on any std::ostream; templates, so that this header includes no stream. For std::format and fmt: whorl/format.hpp.
template <class Char, class Traits>
std::basic_ostream<Char, Traits>& operator<<(std::basic_ostream<Char, Traits>& out, Fp x) {
    return out << x.canonical();
}
template <class Char, class Traits>
std::basic_ostream<Char, Traits>& operator<<(std::basic_ostream<Char, Traits>& out, const Fp4& x) {
    return out << '(' << x.c[0] << ", " << x.c[1] << ", " << x.c[2] << ", " << x.c[3] << ')';
}

/// Eight field elements: a Merkle node, a commitment.
using Digest = std::array<Fp, 8>;

/// Generator of the subgroup of order 2^log_order, log_order ≤ 27 (PROTOCOL.md A.1): w_k = w_{k+1}².
constexpr Fp two_adic_generator(unsigned log_order) {
    return Fp::from_canonical(0x1a427a41).pow2k(Fp::kTwoAdicity - log_order);
}

}  // namespace whorl
