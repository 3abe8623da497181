// A program of somebody else's: an AIR of its own, proved and verified.
#include <whorl/air.hpp>
#include <whorl/prove.hpp>
#include <whorl/verify.hpp>
#include <whorl/version.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace {

struct Doubling {  // column 0 doubles from row to row
    std::string name() const { return "Doubling"; }
    std::uint32_t width() const { return 1; }
    template <class Builder>
    void eval(Builder& b) const {
        b.when_transition().assert_eq(b.main().next[0], b.main().local[0] + b.main().local[0]);
    }
};

}  // namespace

int main() {
    const std::vector<whorl::AnyAir> airs{Doubling{}};
    const auto key = whorl::keygen(whorl::test_params_small(2, 8, 3), airs);
    if (!key) return std::printf("%s\n", to_string(key.error()).c_str()), 2;
    constexpr std::size_t kHeight = 32;
    std::vector<whorl::Fp> column(kHeight, whorl::Fp::one());
    for (std::size_t row = 1; row < kHeight; ++row) column[row] = column[row - 1] + column[row - 1];
    std::vector<whorl::AirTrace> traces(1);
    traces[0].common_main = whorl::Matrix(std::move(column), 1, kHeight);
    const auto proof = whorl::prove(key->vk, traces);
    if (!proof) return std::printf("%s\n", to_string(proof.error()).c_str()), 2;
    const auto verdict = whorl::verify(key->vk, *proof);
    std::printf("whorl %s: %s\n", WHORL_VERSION, verdict ? "accepted" : to_string(verdict.error()).c_str());
    return verdict ? 0 : 1;
}
