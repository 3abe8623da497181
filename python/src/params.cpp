#include <whorl/params.hpp>

#include <nanobind/operators.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include <nanobind/stl/tuple.h>

#include <whorl/choose_params.hpp>
#include <whorl/security.hpp>

#include "errors.hpp"
#include "keys.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace whorl::python {
namespace {

// What pickles, and what two copies are compared by: all fields in order.
using WhirState =
    std::tuple<std::uint32_t, std::vector<std::uint32_t>, std::uint32_t, std::uint32_t, std::uint32_t, Proximity>;

WhirState state_of(const WhirParams& w) {
    return {w.k, w.num_queries, w.mu_pow_bits, w.query_phase_pow_bits, w.folding_pow_bits, w.proximity};
}

using LogupState = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;
using ParamsState =
    std::tuple<std::uint32_t, std::uint32_t, std::uint64_t, std::uint32_t, WhirParams, LogupParams, std::uint32_t>;

void bind_proximity(nb::module_& module) {
    nb::class_<UniqueDecoding>(module, "UniqueDecoding", "Query counts for unique decoding.")
        .def(nb::init<>())
        .def(nb::self == nb::self)
        .def("__getstate__", [](const UniqueDecoding&) { return nb::make_tuple(); })
        .def("__setstate__", [](UniqueDecoding& p, const nb::tuple&) { new (&p) UniqueDecoding{}; })
        .def("__repr__", [](const UniqueDecoding&) { return "UniqueDecoding()"; });
    nb::class_<SplitUniqueList>(module, "SplitUniqueList", "Unique decoding up to a round, list decoding from it on.")
        .def(
            "__init__",
            [](SplitUniqueList* p, std::uint64_t m, std::uint64_t round) {
                new (p) SplitUniqueList{.m = m, .list_start_round = round};
            },
            "m"_a, "list_start_round"_a)
        .def_rw("m", &SplitUniqueList::m)
        .def_rw("list_start_round", &SplitUniqueList::list_start_round)
        .def(nb::self == nb::self)
        .def("__getstate__", [](const SplitUniqueList& p) { return std::tuple(p.m, p.list_start_round); })
        .def("__setstate__",
             [](SplitUniqueList& p, const std::tuple<std::uint64_t, std::uint64_t>& s) {
                 new (&p) SplitUniqueList{.m = std::get<0>(s), .list_start_round = std::get<1>(s)};
             })
        .def("__repr__", [](const SplitUniqueList& p) {
            return "SplitUniqueList(m=" + std::to_string(p.m) +
                   ", list_start_round=" + std::to_string(p.list_start_round) + ")";
        });
    nb::class_<ListDecoding>(module, "ListDecoding", "Query counts for list decoding.")
        .def(
            "__init__", [](ListDecoding* p, std::uint64_t m) { new (p) ListDecoding{.m = m}; }, "m"_a)
        .def_rw("m", &ListDecoding::m)
        .def(nb::self == nb::self)
        .def("__getstate__", [](const ListDecoding& p) { return std::tuple(p.m); })
        .def("__setstate__",
             [](ListDecoding& p, const std::tuple<std::uint64_t>& s) { new (&p) ListDecoding{std::get<0>(s)}; })
        .def("__repr__", [](const ListDecoding& p) { return "ListDecoding(m=" + std::to_string(p.m) + ")"; });
}

std::string repr(const SystemParams& p) {
    std::string queries;
    for (const std::uint32_t count : p.whir.num_queries)
        queries += (queries.empty() ? "" : ", ") + std::to_string(count);
    return "<whorl.Params, l_skip " + std::to_string(p.l_skip) + ", n_stack " + std::to_string(p.n_stack) +
           ", w_stack " + std::to_string(p.w_stack) + ", log_blowup " + std::to_string(p.log_blowup) + ", WHIR k " +
           std::to_string(p.whir.k) + " with queries [" + queries + "], max_constraint_degree " +
           std::to_string(p.max_constraint_degree) + ">";
}

nb::dict to_dict(const SecurityBits& bits) {
    nb::dict out;
    out["total"] = bits.total();
    out["weakest"] = bits.weakest();
    out["logup"] = bits.logup;
    out["gkr_sumcheck"] = bits.gkr_sumcheck;
    out["gkr_batching"] = bits.gkr_batching;
    out["zerocheck_sumcheck"] = bits.zerocheck_sumcheck;
    out["constraint_batching"] = bits.constraint_batching;
    out["stacked_reduction"] = bits.stacked_reduction;
    out["mu_batching"] = bits.mu_batching;
    out["whir"] = bits.whir();
    return out;
}

void bind_choice(nb::module_& module) {
    nb::class_<ParamsChoice>(module, "ParamsChoice", "Parameters, and what a proof takes with them.")
        .def_ro("params", &ParamsChoice::params)
        .def_ro("security_bits", &ParamsChoice::security_bits)
        .def_ro("num_stacked_columns", &ParamsChoice::num_stacked_columns)
        .def_ro("proof_bytes", &ParamsChoice::proof_bytes, "Exact size of a proof.")
        .def_ro("memory_bytes", &ParamsChoice::memory_bytes, "An estimate: on the CPU, beside the traces.")
        .def_ro("core_seconds", &ParamsChoice::core_seconds, "An estimate: of proving, on one core with AVX2.")
        .def("__repr__", [](const ParamsChoice& c) {
            return "<whorl.ParamsChoice, log_blowup " + std::to_string(c.params.log_blowup) + ", log_stacked_height " +
                   std::to_string(c.params.log_stacked_height()) + ", " + std::to_string(c.proof_bytes) +
                   " bytes a proof, " + std::to_string(c.core_seconds) + " core seconds>";
        });
}

}  // namespace

void bind_params(nb::module_& module) {
    bind_proximity(module);
    nb::class_<WhirParams>(module, "WhirParams", R"(Parameters of WHIR.

``num_queries`` has one count a round; reading it gives a copy, so assign a whole list to change it.)")
        .def(nb::init<>())
        .def_rw("k", &WhirParams::k)
        .def_rw("num_queries", &WhirParams::num_queries)
        .def_rw("mu_pow_bits", &WhirParams::mu_pow_bits)
        .def_rw("query_phase_pow_bits", &WhirParams::query_phase_pow_bits)
        .def_rw("folding_pow_bits", &WhirParams::folding_pow_bits)
        .def_rw("proximity", &WhirParams::proximity)
        .def(nb::self == nb::self)
        .def("__getstate__", &state_of)
        .def("__setstate__", [](WhirParams& w, const WhirState& s) {
            const auto& [k, num_queries, mu_pow_bits, query_phase_pow_bits, folding_pow_bits, proximity] = s;
            new (&w) WhirParams{k, num_queries, mu_pow_bits, query_phase_pow_bits, folding_pow_bits, proximity};
        });
    nb::class_<LogupParams>(module, "LogupParams", "Parameters of LogUp.")
        .def(nb::init<>())
        .def_rw("max_interaction_count", &LogupParams::max_interaction_count)
        .def_rw("log_max_message_length", &LogupParams::log_max_message_length)
        .def_rw("pow_bits", &LogupParams::pow_bits)
        .def(nb::self == nb::self)
        .def("__getstate__",
             [](const LogupParams& l) {
                 return LogupState(l.max_interaction_count, l.log_max_message_length, l.pow_bits);
             })
        .def("__setstate__", [](LogupParams& l, const LogupState& s) {
            const auto& [max_interaction_count, log_max_message_length, pow_bits] = s;
            new (&l) LogupParams{max_interaction_count, log_max_message_length, pow_bits};
        });
    nb::class_<SystemParams>(module, "Params", R"(The parameters that change a proof (docs/parameters.md).

Presets: `app`, `leaf`, `internal`, `root`, `hook` with 100 bits of security, and `test`, which is fast and far from secure.)")
        .def(nb::init<>())
        .def_static(
            "app", [](std::uint32_t log_stacked_height) { return take(app_params_100_bits(log_stacked_height)); },
            "log_stacked_height"_a, "For an application: stacked columns of 2**log_stacked_height rows, 11 to 24.")
        .def_static("leaf", &leaf_params_100_bits)
        .def_static("internal", &internal_params_100_bits)
        .def_static("root", &root_params_100_bits)
        .def_static("hook", &hook_params_100_bits)
        .def_static("test", &test_params_small, "l_skip"_a = 2, "n_stack"_a = 8, "k_whir"_a = 3,
                    "Small parameters for tests: far from secure.")
        .def_rw("l_skip", &SystemParams::l_skip)
        .def_rw("n_stack", &SystemParams::n_stack)
        .def_rw("w_stack", &SystemParams::w_stack)
        .def_rw("log_blowup", &SystemParams::log_blowup)
        .def_rw("whir", &SystemParams::whir)
        .def_rw("logup", &SystemParams::logup)
        .def_rw("max_constraint_degree", &SystemParams::max_constraint_degree)
        .def_prop_ro("log_stacked_height", &SystemParams::log_stacked_height)
        .def(
            "check", [](const SystemParams& p) { take(check_params(p)); },
            "Raises InvalidArgumentError where no proof can be made with these parameters.")
        .def(nb::self == nb::self)
        .def("__getstate__",
             [](const SystemParams& p) {
                 return ParamsState(p.l_skip, p.n_stack, p.w_stack, p.log_blowup, p.whir, p.logup,
                                    p.max_constraint_degree);
             })
        .def("__setstate__",
             [](SystemParams& p, const ParamsState& s) {
                 const auto& [l_skip, n_stack, w_stack, log_blowup, whir, logup, max_constraint_degree] = s;
                 new (&p) SystemParams{l_skip, n_stack, w_stack, log_blowup, whir, logup, max_constraint_degree};
             })
        .def("__repr__", &repr);
    bind_choice(module);

    module.def(
        "security_bits", [](nb::handle key) { return to_dict(take(security_bits(verifying_key(key)))); }, "key"_a,
        "Bits of security of all proofs under a key, step by step; the least is \"total\".");
    module.def(
        "list_params",
        [](nb::handle key, const std::vector<std::uint64_t>& heights, double bits) {
            return take(list_params(verifying_key(key), heights, bits));
        },
        "key"_a, "heights"_a, "security_bits"_a = 100.0,
        R"(Parameters for the circuits of a key, for traces of these heights (one an AIR; 0: no trace).)");
}

}  // namespace whorl::python
