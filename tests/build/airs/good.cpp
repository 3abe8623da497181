// AIRs that must compile without warnings.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <whorl/air.hpp>

namespace {

using whorl::AnyAir;

WHORL_COLUMNS(Columns, a, b[2]);

struct Plain {
    std::string name() const { return "Plain"; }
    std::uint32_t width() const { return whorl::kNumColumns<Columns>; }
    void eval(auto& builder) const {
        const auto [local, next] = whorl::columns<Columns>(builder.main());
        builder.assert_eq(local.a, 5);
        builder.when(local.b[0]).assert_bool(next.b[1] + 1, "a label");
        whorl::LookupBus{1, "table"}.lookup_key(builder, {local.a, 7}, 1);
    }
};

// Types that convert to the expected ones, values that have the names of slips, and static members.
struct Lenient {
    std::vector<std::uint32_t> public_values, required;
    const char* name() const { return "Lenient"; }
    int width() const { return 1; }
    static bool is_required() { return true; }
    whorl::Matrix preprocessed() const { return {1, 2}; }
    void eval(auto& builder) const { builder.assert_zero(builder.main().local[0]); }
};

struct Final final {
    std::string name() const { return "Final"; }
    std::uint32_t width() const { return 1; }
    std::uint32_t num_public_values() const { return 1; }
    void eval(auto& builder) const { builder.assert_zero(builder.main().local[0]); }
};

struct Overriding : whorl::AirBase {
    std::string name() const override { return "Overriding"; }
    std::uint32_t width() const override { return 1; }
    bool is_required() const override { return true; }
    void eval(auto& builder) const { builder.assert_zero(builder.main().local[0]); }
};

struct NoCopy {
    NoCopy() = delete;
    explicit NoCopy(int) {}
    std::string name() const { return "NoCopy"; }
    std::uint32_t width() const { return 1; }
    void eval(auto& builder) const { builder.assert_zero(builder.main().local[0]); }
};

}  // namespace

int main() {
    std::vector<AnyAir> airs{Plain{}, Lenient{}, Final{}, Overriding{}, NoCopy(1)};
    const std::vector<AnyAir> copy{airs};  // the list itself is no AIR
    airs.emplace_back(copy.front());
    return airs.size() == copy.size() ? 1 : 0;
}
