// Compile-time checks of an AIR's members. AnyAir takes the optional ones by their names, so one that is misspelt, or not
// const, would be left out without a word. Included by air.hpp.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <whorl/trace.hpp>

namespace whorl::detail {

// kFound<Air>: whether Air has a member of that name, whatever it is: the name is then ambiguous in a class that inherits
// another one. A final class cannot be inherited from; there, overloads are not found.
#define WHORL_DETAIL_MEMBER(member)                       \
    namespace member_##member {                           \
        struct Other {                                    \
            void member();                                \
        };                                                \
        template <class Air>                              \
        struct Both : Air, Other {};                      \
        template <class Air>                              \
        consteval bool find() {                           \
            if constexpr (std::is_final_v<Air>) {         \
                return requires { &Air::member; };        \
            } else {                                      \
                return !requires { &Both<Air>::member; }; \
            }                                             \
        }                                                 \
        template <class Air>                              \
        inline constexpr bool kFound = find<Air>();       \
    }
WHORL_DETAIL_MEMBER(name)
WHORL_DETAIL_MEMBER(width)
WHORL_DETAIL_MEMBER(eval)
WHORL_DETAIL_MEMBER(cached_main_widths)
WHORL_DETAIL_MEMBER(preprocessed)
WHORL_DETAIL_MEMBER(num_public_values)
WHORL_DETAIL_MEMBER(is_required)
WHORL_DETAIL_MEMBER(column_names)
#undef WHORL_DETAIL_MEMBER

/// What AnyAir's constructor takes: types that mean to be an AIR. That they are one is asserted, for a message that helps.
template <class Air>
concept MeansToBeAnAir =
    std::is_class_v<Air> && (member_name::kFound<Air> + member_width::kFound<Air> + member_eval::kFound<Air> >= 2);

template <class Air, class Builder>
consteval bool check_air_members() {
    static_assert(
        requires(const Air& air) {
            { air.name() } -> std::convertible_to<std::string>;
        }, "an AIR needs: std::string name() const");
    static_assert(
        requires(const Air& air) {
            { air.width() } -> std::convertible_to<std::uint32_t>;
        }, "an AIR needs: std::uint32_t width() const");
    static_assert(
        requires(const Air& air, Builder& builder) { air.eval(builder); },
        "an AIR needs: template <class Builder> void eval(Builder& builder) const");

#define WHORL_DETAIL_CHECK(member, type)                                                                     \
    static_assert(                                                                                           \
        !member_##member::kFound<Air> ||                                                                     \
            requires(const Air& air) {                                                                       \
                { air.member() } -> std::convertible_to<type>;                                               \
            },                                                                                               \
        "this optional member of an AIR must be callable on a const AIR without arguments and return " #type \
        ": " #member)
    WHORL_DETAIL_CHECK(cached_main_widths, std::vector<std::uint32_t>);
    WHORL_DETAIL_CHECK(preprocessed, std::optional<Matrix>);
    WHORL_DETAIL_CHECK(num_public_values, std::uint32_t);
    WHORL_DETAIL_CHECK(is_required, bool);
    WHORL_DETAIL_CHECK(column_names, std::vector<std::string>);
#undef WHORL_DETAIL_CHECK

    // Likely slips. Others are found where the AIR derives from AirBase and says `override`.
#define WHORL_DETAIL_REFUSE(wrong, right)     \
    static_assert(                            \
        !requires(Air& air) { air.wrong(); }, \
        "an AIR has no member " #wrong "(), which would be ignored: did you mean " #right "()?")
    WHORL_DETAIL_REFUSE(cached_main_width, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_mains_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_mains_width, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_width, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_main, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_mains, cached_main_widths);
    WHORL_DETAIL_REFUSE(cashed_main_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(preprocess, preprocessed);
    WHORL_DETAIL_REFUSE(preprocessed_trace, preprocessed);
    WHORL_DETAIL_REFUSE(preprocessed_columns, preprocessed);
    WHORL_DETAIL_REFUSE(preprocessed_matrix, preprocessed);
    WHORL_DETAIL_REFUSE(preprocesed, preprocessed);
    WHORL_DETAIL_REFUSE(preproccessed, preprocessed);
    WHORL_DETAIL_REFUSE(pre_processed, preprocessed);
    WHORL_DETAIL_REFUSE(public_values, num_public_values);
    WHORL_DETAIL_REFUSE(public_value, num_public_values);
    WHORL_DETAIL_REFUSE(public_inputs, num_public_values);
    WHORL_DETAIL_REFUSE(num_public_value, num_public_values);
    WHORL_DETAIL_REFUSE(num_public_inputs, num_public_values);
    WHORL_DETAIL_REFUSE(num_publics, num_public_values);
    WHORL_DETAIL_REFUSE(num_pvs, num_public_values);
    WHORL_DETAIL_REFUSE(num_pis, num_public_values);
    WHORL_DETAIL_REFUSE(n_public_values, num_public_values);
    WHORL_DETAIL_REFUSE(number_of_public_values, num_public_values);
    WHORL_DETAIL_REFUSE(public_values_count, num_public_values);
    WHORL_DETAIL_REFUSE(required, is_required);
    WHORL_DETAIL_REFUSE(is_require, is_required);
    WHORL_DETAIL_REFUSE(is_requred, is_required);
    WHORL_DETAIL_REFUSE(is_reqired, is_required);
    WHORL_DETAIL_REFUSE(isrequired, is_required);
    WHORL_DETAIL_REFUSE(column_name, column_names);
    WHORL_DETAIL_REFUSE(columns_names, column_names);
    WHORL_DETAIL_REFUSE(columns_name, column_names);
    WHORL_DETAIL_REFUSE(colum_names, column_names);
    WHORL_DETAIL_REFUSE(col_names, column_names);
    WHORL_DETAIL_REFUSE(main_column_names, column_names);
    // Two letters that changed places, and a letter left out.
    WHORL_DETAIL_REFUSE(acched_main_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(ccahed_main_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cahced_main_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cacehd_main_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cachde_main_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cache_dmain_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cachedm_ain_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_amin_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_mian_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_mani_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_mai_nwidths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_mainw_idths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_main_iwdths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_main_wdiths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_main_witdhs, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_main_widhts, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_main_widtsh, cached_main_widths);
    WHORL_DETAIL_REFUSE(ached_main_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cched_main_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cahed_main_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(caced_main_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cachd_main_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cache_main_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cachedmain_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_ain_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_min_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_man_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_mai_widths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_mainwidths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_main_idths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_main_wdths, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_main_withs, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_main_widhs, cached_main_widths);
    WHORL_DETAIL_REFUSE(cached_main_widts, cached_main_widths);
    WHORL_DETAIL_REFUSE(rpeprocessed, preprocessed);
    WHORL_DETAIL_REFUSE(perprocessed, preprocessed);
    WHORL_DETAIL_REFUSE(prperocessed, preprocessed);
    WHORL_DETAIL_REFUSE(prerpocessed, preprocessed);
    WHORL_DETAIL_REFUSE(preporcessed, preprocessed);
    WHORL_DETAIL_REFUSE(preprcoessed, preprocessed);
    WHORL_DETAIL_REFUSE(preproecssed, preprocessed);
    WHORL_DETAIL_REFUSE(preprocsesed, preprocessed);
    WHORL_DETAIL_REFUSE(preprocesesd, preprocessed);
    WHORL_DETAIL_REFUSE(preprocessde, preprocessed);
    WHORL_DETAIL_REFUSE(reprocessed, preprocessed);
    WHORL_DETAIL_REFUSE(peprocessed, preprocessed);
    WHORL_DETAIL_REFUSE(prprocessed, preprocessed);
    WHORL_DETAIL_REFUSE(prerocessed, preprocessed);
    WHORL_DETAIL_REFUSE(prepocessed, preprocessed);
    WHORL_DETAIL_REFUSE(preprcessed, preprocessed);
    WHORL_DETAIL_REFUSE(preproessed, preprocessed);
    WHORL_DETAIL_REFUSE(preprocssed, preprocessed);
    WHORL_DETAIL_REFUSE(preprocessd, preprocessed);
    WHORL_DETAIL_REFUSE(preprocesse, preprocessed);
    WHORL_DETAIL_REFUSE(unm_public_values, num_public_values);
    WHORL_DETAIL_REFUSE(nmu_public_values, num_public_values);
    WHORL_DETAIL_REFUSE(nu_mpublic_values, num_public_values);
    WHORL_DETAIL_REFUSE(nump_ublic_values, num_public_values);
    WHORL_DETAIL_REFUSE(num_upblic_values, num_public_values);
    WHORL_DETAIL_REFUSE(num_pbulic_values, num_public_values);
    WHORL_DETAIL_REFUSE(num_pulbic_values, num_public_values);
    WHORL_DETAIL_REFUSE(num_pubilc_values, num_public_values);
    WHORL_DETAIL_REFUSE(num_publci_values, num_public_values);
    WHORL_DETAIL_REFUSE(num_publi_cvalues, num_public_values);
    WHORL_DETAIL_REFUSE(num_publicv_alues, num_public_values);
    WHORL_DETAIL_REFUSE(num_public_avlues, num_public_values);
    WHORL_DETAIL_REFUSE(num_public_vlaues, num_public_values);
    WHORL_DETAIL_REFUSE(num_public_vaules, num_public_values);
    WHORL_DETAIL_REFUSE(num_public_valeus, num_public_values);
    WHORL_DETAIL_REFUSE(num_public_valuse, num_public_values);
    WHORL_DETAIL_REFUSE(um_public_values, num_public_values);
    WHORL_DETAIL_REFUSE(nm_public_values, num_public_values);
    WHORL_DETAIL_REFUSE(nu_public_values, num_public_values);
    WHORL_DETAIL_REFUSE(numpublic_values, num_public_values);
    WHORL_DETAIL_REFUSE(num_ublic_values, num_public_values);
    WHORL_DETAIL_REFUSE(num_pblic_values, num_public_values);
    WHORL_DETAIL_REFUSE(num_pulic_values, num_public_values);
    WHORL_DETAIL_REFUSE(num_pubic_values, num_public_values);
    WHORL_DETAIL_REFUSE(num_publc_values, num_public_values);
    WHORL_DETAIL_REFUSE(num_publi_values, num_public_values);
    WHORL_DETAIL_REFUSE(num_publicvalues, num_public_values);
    WHORL_DETAIL_REFUSE(num_public_alues, num_public_values);
    WHORL_DETAIL_REFUSE(num_public_vlues, num_public_values);
    WHORL_DETAIL_REFUSE(num_public_vaues, num_public_values);
    WHORL_DETAIL_REFUSE(num_public_vales, num_public_values);
    WHORL_DETAIL_REFUSE(num_public_valus, num_public_values);
    WHORL_DETAIL_REFUSE(si_required, is_required);
    WHORL_DETAIL_REFUSE(i_srequired, is_required);
    WHORL_DETAIL_REFUSE(isr_equired, is_required);
    WHORL_DETAIL_REFUSE(is_erquired, is_required);
    WHORL_DETAIL_REFUSE(is_rqeuired, is_required);
    WHORL_DETAIL_REFUSE(is_reuqired, is_required);
    WHORL_DETAIL_REFUSE(is_reqiured, is_required);
    WHORL_DETAIL_REFUSE(is_requried, is_required);
    WHORL_DETAIL_REFUSE(is_requierd, is_required);
    WHORL_DETAIL_REFUSE(is_requirde, is_required);
    WHORL_DETAIL_REFUSE(s_required, is_required);
    WHORL_DETAIL_REFUSE(i_required, is_required);
    WHORL_DETAIL_REFUSE(is_equired, is_required);
    WHORL_DETAIL_REFUSE(is_rquired, is_required);
    WHORL_DETAIL_REFUSE(is_reuired, is_required);
    WHORL_DETAIL_REFUSE(is_requied, is_required);
    WHORL_DETAIL_REFUSE(is_requird, is_required);
    WHORL_DETAIL_REFUSE(oclumn_names, column_names);
    WHORL_DETAIL_REFUSE(cloumn_names, column_names);
    WHORL_DETAIL_REFUSE(coulmn_names, column_names);
    WHORL_DETAIL_REFUSE(colmun_names, column_names);
    WHORL_DETAIL_REFUSE(colunm_names, column_names);
    WHORL_DETAIL_REFUSE(colum_nnames, column_names);
    WHORL_DETAIL_REFUSE(columnn_ames, column_names);
    WHORL_DETAIL_REFUSE(column_anmes, column_names);
    WHORL_DETAIL_REFUSE(column_nmaes, column_names);
    WHORL_DETAIL_REFUSE(column_naems, column_names);
    WHORL_DETAIL_REFUSE(column_namse, column_names);
    WHORL_DETAIL_REFUSE(olumn_names, column_names);
    WHORL_DETAIL_REFUSE(clumn_names, column_names);
    WHORL_DETAIL_REFUSE(coumn_names, column_names);
    WHORL_DETAIL_REFUSE(colmn_names, column_names);
    WHORL_DETAIL_REFUSE(colun_names, column_names);
    WHORL_DETAIL_REFUSE(columnnames, column_names);
    WHORL_DETAIL_REFUSE(column_ames, column_names);
    WHORL_DETAIL_REFUSE(column_nmes, column_names);
    WHORL_DETAIL_REFUSE(column_naes, column_names);
    WHORL_DETAIL_REFUSE(column_nams, column_names);
#undef WHORL_DETAIL_REFUSE
    return true;
}

}  // namespace whorl::detail
