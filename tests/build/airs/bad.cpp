// AIRs that must not compile. "error: TEXT": the compiler must say TEXT; "error here": it must name this line.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <whorl/air.hpp>

namespace {

struct Good {
    std::string name() const { return "Good"; }
    std::uint32_t width() const { return 1; }
    void eval(auto& builder) const { builder.assert_zero(builder.main().local[0]); }
};

struct NoName {  // error: an AIR needs: std::string name() const
    std::uint32_t width() const { return 1; }
    void eval(auto&) const {}
};
struct WidthNotConst {  // error: an AIR needs: std::uint32_t width() const
    std::string name() const { return "WidthNotConst"; }
    std::uint32_t width() { return 1; }
    void eval(auto&) const {}
};
struct EvalNotConst {  // error: an AIR needs: template <class Builder> void eval(Builder& builder) const
    std::string name() const { return "EvalNotConst"; }
    std::uint32_t width() const { return 1; }
    void eval(auto&) {}
};
struct NotConst : Good {  // error: must be callable on a const AIR without arguments and return bool: is_required
    bool is_required() { return true; }
};
struct DataMember
    : Good {  // error: must be callable on a const AIR without arguments and return std::uint32_t: num_public_values
    std::uint32_t num_public_values = 3;
};
struct WrongType : Good {  // error: without arguments and return std::vector<std::uint32_t>: cached_main_widths
    std::uint32_t cached_main_widths() const { return 2; }
};
struct WithArgument : Good {  // error: without arguments and return std::optional<Matrix>: preprocessed
    std::optional<whorl::Matrix> preprocessed(int) const { return {}; }
};
class Private : public Good {  // error: without arguments and return std::vector<std::string>: column_names
    std::vector<std::string> column_names() const { return {}; }
};
struct FinalNotConst final : Good {  // error: return bool: is_required
    bool is_required() { return true; }
};
struct Slip1 : Good {  // error: no member public_values(), which would be ignored: did you mean num_public_values()?
    std::uint32_t public_values() const { return 3; }
};
struct Slip2
    : Good {  // error: no member cached_main_width(), which would be ignored: did you mean cached_main_widths()?
    std::vector<std::uint32_t> cached_main_width() const { return {1}; }
};
struct Slip3 : Good {  // error: no member is_require(), which would be ignored: did you mean is_required()?
    bool is_require() { return true; }
};
struct Slip4 : Good {  // error: no member preprocessed_trace(), which would be ignored: did you mean preprocessed()?
    std::optional<whorl::Matrix> preprocessed_trace() const { return {}; }
};
struct Slip5 : Good {  // error: no member columns_names(), which would be ignored: did you mean column_names()?
    std::vector<std::string> columns_names() const { return {}; }
};
struct Slip7 : Good {  // error: no member is_requierd(), which would be ignored: did you mean is_required()?
    bool is_requierd() const { return true; }
};
struct Slip8 : Good {  // error: no member num_public_valus(), which would be ignored: did you mean num_public_values()?
    std::uint32_t num_public_valus() const { return 1; }
};
struct Slip6 : whorl::AirBase {
    std::string name() const override { return "Slip6"; }
    std::uint32_t width() const override { return 1; }
    std::uint32_t num_public_vals() const override { return 3; }  // error here
    void eval(auto&) const {}
};

WHORL_COLUMNS(NamedExtent, a,
              b[sizeof(int)]);  // error: the extents of arrays in WHORL_COLUMNS must be written as numbers

template <class Column>
struct WithAFlag {
    Column x;
    unsigned char flag;
};

void use(whorl::SymbolicBuilder& builder) {
    (void)whorl::matrix_of<WithAFlag>(
        std::span<const WithAFlag<whorl::Fp>>());  // error: all members of a struct of columns are columns
    (void)whorl::columns<NamedExtent>(builder.main().local);
    builder.assert_zero(true);                        // error here
    builder.assert_zero(builder.main().local[0], 0);  // error here
    builder.when(1 < 2);                              // error here
}

}  // namespace

int main() {
    const whorl::AnyAir airs[] = {NoName{},    WidthNotConst{}, EvalNotConst{}, NotConst{},      DataMember{},
                                  WrongType{}, WithArgument{},  Private{},      FinalNotConst{}, Slip1{},
                                  Slip2{},     Slip3{},         Slip4{},        Slip5{},         Slip6{},
                                  Slip7{},     Slip8{}};
    return airs[0].is_required ? 1 : 0;
}
