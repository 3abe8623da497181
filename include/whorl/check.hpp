// Do these traces satisfy this key? Answered row by row, without a proof, and with the places where they do not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/field.hpp>
#include <whorl/key.hpp>
#include <whorl/notes.hpp>
#include <whorl/trace.hpp>

namespace whorl {

/// A constraint that is not zero on some rows, and its values on the first of them.
struct ConstraintFailure {
    struct NamedValue {
        std::string
            name;  ///< "main[3]", "next cached0[1]", "preprocessed[0]", "public[2]"; "next.carry" where columns have names
        Fp value;
    };

    std::uint32_t air_id = 0;
    std::size_t row = 0;           ///< the first on which it fails
    std::uint64_t num_rows = 0;    ///< on which it fails
    std::uint32_t constraint = 0;  ///< position in AirVerifyingKey::constraint_idx; keygen's errors count alike
    SourceNote note;               ///< where it is written, if the notes say so
    std::string expression;        ///< "when_transition: next.n == n + 1"; shortened where it is long
    Fp value;
    std::vector<NamedValue> variables;  ///< those of the expression, in the key's order
};

/// An AIR with a constraint that fails.
struct FailingAir {
    std::uint32_t air_id = 0;
    std::uint64_t num_constraints = 0;  ///< that fail on some row
};

/// A message whose counts do not add up to 0 on its bus.
struct UnbalancedMessage {
    struct Contribution {
        std::uint32_t air_id = 0;
        std::size_t row = 0;
        std::uint32_t interaction = 0;  ///< position in AirVerifyingKey::interactions
        Fp count;
        SourceNote note = {};  ///< where the interaction is written, if the notes say so
    };

    std::vector<Fp> fields;
    Fp net_count;
    std::uint64_t num_contributions = 0;
    std::vector<Contribution> contributions;  ///< the first few by AIR, row and interaction
};

struct UnbalancedBus {
    std::uint16_t bus_index = 0;
    std::string name;                         ///< from the notes
    std::vector<UnbalancedMessage> messages;  ///< some of them, by their first contribution
    bool has_more = false;
    std::vector<std::uint32_t> absent_airs = {};  ///< AIRs that have interactions on it, and no trace; ascending
};

struct CheckReport {
    /// How many failures of an AIR are described, so that the report of a broken trace of a large AIR is made in no time.
    static constexpr std::size_t kFailuresPerAir = 32;

    /// By AIR, and within an AIR by first row, then constraint: the first kFailuresPerAir.
    std::vector<ConstraintFailure> failures;
    std::vector<FailingAir> failing_airs;         ///< all, ascending
    std::vector<UnbalancedBus> unbalanced_buses;  ///< all, ascending
    std::uint64_t num_constraints_checked = 0;    ///< constraints times rows
    std::uint64_t num_messages_checked = 0;       ///< interactions times rows

    bool is_satisfied() const { return failures.empty() && unbalanced_buses.empty(); }
};

/// Evaluates every constraint and interaction of `vk` on the rows of `traces`, on all TBB threads. Memory beyond the
/// traces is bounded by the key, whatever the heights. Buses are compared through 62-bit hashes of their messages, so
/// an imbalance is overlooked with a chance of about 2^-62.
/// Preprocessed columns are compared with the commitment in the key.
/// `air_names` appear in the message of an error; with the `notes` of keygen the report names lines of code, columns and buses.
/// Errors: kInvalidArgument (check_traces of validate.hpp: traces that prove would refuse; other preprocessed columns), kMachine (memory).
Result<CheckReport> check_constraints(const VerifyingKey& vk, std::span<const AirTrace> traces,
                                      std::span<const std::string> air_names = {}, const KeyNotes& notes = {}) noexcept;

/// The report as lines of text, at most 8 constraints of an AIR; AIRs without a name in `air_names` appear by their id alone.
/// Field elements above p/2 are written as negative numbers. "out of memory" where there is none for the text.
std::string describe(const CheckReport& report, std::span<const std::string> air_names = {}) noexcept;

}  // namespace whorl
