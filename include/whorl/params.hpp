// The parameters that change a proof (PROTOCOL.md section 5). Anything that only trades speed for memory is in
// prove.hpp instead.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include <whorl/error.hpp>

namespace whorl {

/// How the query counts were derived; the verifier does not use it, but the key and its hash contain it.
struct UniqueDecoding {
    friend bool operator==(const UniqueDecoding&, const UniqueDecoding&) = default;
};
struct SplitUniqueList {
    std::uint64_t m = 0;
    std::uint64_t list_start_round = 0;
    friend bool operator==(const SplitUniqueList&, const SplitUniqueList&) = default;
};
struct ListDecoding {
    std::uint64_t m = 0;
    friend bool operator==(const ListDecoding&, const ListDecoding&) = default;
};
using Proximity = std::variant<UniqueDecoding, SplitUniqueList, ListDecoding>;

struct WhirParams {
    std::uint32_t k = 0;                     ///< variables folded per round
    std::vector<std::uint32_t> num_queries;  ///< one count per round
    std::uint32_t mu_pow_bits = 0;
    std::uint32_t query_phase_pow_bits = 0;
    std::uint32_t folding_pow_bits = 0;
    Proximity proximity;

    std::uint32_t num_rounds() const { return static_cast<std::uint32_t>(num_queries.size()); }
    friend bool operator==(const WhirParams&, const WhirParams&) = default;
};

struct LogupParams {
    std::uint32_t max_interaction_count = 0;
    std::uint32_t log_max_message_length = 0;
    std::uint32_t pow_bits = 0;
    friend bool operator==(const LogupParams&, const LogupParams&) = default;
};

struct SystemParams {
    std::uint32_t l_skip = 0;      ///< log2 of the skip domain D
    std::uint32_t n_stack = 0;     ///< hypercube variables of a stacked column
    std::uint64_t w_stack = 0;     ///< cap on the number of stacked columns over all commitments
    std::uint32_t log_blowup = 0;  ///< −log2 of the initial code rate
    WhirParams whir;
    LogupParams logup;
    std::uint32_t max_constraint_degree = 0;

    /// log2 of the height of a stacked column.
    std::uint32_t log_stacked_height() const { return l_skip + n_stack; }
    /// log2 of the initial Reed–Solomon domain.
    std::uint32_t log_codeword_height() const { return log_stacked_height() + log_blowup; }
    /// Only meaningful for valid parameters (see check_params).
    std::uint32_t log_final_poly_len() const { return log_stacked_height() - whir.k * whir.num_rounds(); }

    friend bool operator==(const SystemParams&, const SystemParams&) = default;
};

/// What check_params accepts; docs/parameters.md gives the reason for each limit. Ranges include both ends.
struct ParamLimits {
    static constexpr std::uint32_t kMaxLSkip = 10;
    static constexpr std::uint32_t kMaxLogBlowup = 8;
    static constexpr std::uint32_t kMaxLogCodewordHeight = 27;  ///< of l_skip + n_stack + log_blowup
    static constexpr std::uint32_t kMaxWhirFolding = 10;        ///< of whir.k, from 1
    static constexpr std::uint32_t kMaxQueries = 1024;          ///< of each WHIR round, from 1
    static constexpr std::uint32_t kMaxPowBits = 26;            ///< of all four proof-of-work counts
    static constexpr std::uint32_t kMaxLogMessageLength = 31;
    static constexpr std::uint32_t kMaxConstraintDegree = 255;  ///< from 1
};

/// Whether every backend, the codecs and the verifier can work with `params`, each value within ParamLimits and the
/// WHIR rounds (one at least) folding no more variables than there are (PROTOCOL.md 5.1; docs/parameters.md).
/// Errors: kInvalidArgument, naming the first parameter out of its range, the range and the reason.
Result<void> check_params(const SystemParams& params) noexcept;

/// The reference's presets (PROTOCOL.md 5.3). For an application: `log_stacked_height` from kMinAppLogStackedHeight (below,
/// no WHIR round is left) to kMaxAppLogStackedHeight (above, the published preset ends; list_params goes further, where the bits
/// are computed).
/// Errors: kInvalidArgument outside that range.
inline constexpr std::uint32_t kMinAppLogStackedHeight = 11;
inline constexpr std::uint32_t kMaxAppLogStackedHeight = 24;
Result<SystemParams> app_params_100_bits(std::uint32_t log_stacked_height) noexcept;
SystemParams leaf_params_100_bits();
SystemParams internal_params_100_bits();
SystemParams root_params_100_bits();
SystemParams hook_params_100_bits();
/// The reference's small test parameters: fast, and far from secure. Arguments that no parameters work for give
/// parameters that check_params refuses.
SystemParams test_params_small(std::uint32_t l_skip, std::uint32_t n_stack, std::uint32_t k_whir);

}  // namespace whorl
