// Verifying and proving keys (PROTOCOL.md sections 6 and 7). A key is data: one read from a file proves and verifies
// like one made from C++ AIRs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/field.hpp>
#include <whorl/params.hpp>

namespace whorl {

/// A column of a trace, seen on the current row (offset 0) or the next (offset 1), or a public value.
struct Variable {
    enum class Entry : std::uint8_t { kPreprocessed, kMain, kPublic, kChallenge };

    Entry entry = Entry::kMain;
    std::uint32_t part_index = 0;  ///< kMain only, DAG order: cached 0, cached 1, …, common main last
    std::uint32_t offset = 0;      ///< kPreprocessed and kMain only: 0 or 1
    std::uint32_t index = 0;       ///< column or public value

    friend bool operator==(const Variable&, const Variable&) = default;
};

/// One node of an AIR's constraint DAG; `left` and `right` are indices of earlier nodes.
struct SymbolicNode {
    enum class Op : std::uint8_t {
        kVariable,
        kIsFirstRow,
        kIsLastRow,
        kIsTransition,
        kConstant,
        kAdd,
        kSub,
        kNeg,  // operand in `left`
        kMul,
    };

    Op op = Op::kConstant;
    Variable variable;         ///< kVariable
    Fp constant;               ///< kConstant
    std::uint32_t left = 0;    ///< kAdd, kSub, kNeg, kMul
    std::uint32_t right = 0;   ///< kAdd, kSub, kMul
    std::uint32_t degree = 0;  ///< inner nodes: degree of the expression as written

    friend bool operator==(const SymbolicNode&, const SymbolicNode&) = default;
};

/// Buses that all AIRs of a key together may use: whorl compares their trace height constraints pairwise.
inline constexpr std::uint32_t kMaxBuses = 4096;

/// A message sent to, or taken from, a bus; expressions are node indices.
struct SymbolicInteraction {
    std::vector<std::uint32_t> message;
    std::uint32_t count = 0;
    std::uint16_t bus_index = 0;
    std::uint32_t count_weight = 0;

    friend bool operator==(const SymbolicInteraction&, const SymbolicInteraction&) = default;
};

struct TraceWidths {
    std::optional<std::uint32_t> preprocessed;
    std::vector<std::uint32_t> cached_mains;
    std::uint32_t common_main = 0;

    friend bool operator==(const TraceWidths&, const TraceWidths&) = default;
};

struct PreprocessedData {
    Digest commit{};
    std::int32_t hypercube_dim = 0;  ///< log2(height) − l_skip
    std::uint32_t stacking_width = 0;

    friend bool operator==(const PreprocessedData&, const PreprocessedData&) = default;
};

struct AirVerifyingKey {
    std::optional<PreprocessedData> preprocessed;
    TraceWidths width;
    std::uint32_t num_public_values = 0;
    bool need_rot = false;  ///< some variable is read on the next row
    std::vector<SymbolicNode> nodes;
    std::vector<std::uint32_t> constraint_idx;  ///< ascending, without repeats
    std::vector<SymbolicInteraction> interactions;
    std::uint8_t max_constraint_degree = 0;
    bool is_required = false;
    std::vector<Variable> unused_variables;

    friend bool operator==(const AirVerifyingKey&, const AirVerifyingKey&) = default;
};

/// Σ over present AIRs of coefficient · max(height, 2^l_skip) must stay below `threshold`.
struct TraceHeightConstraint {
    std::vector<std::uint32_t> coefficients;  ///< one per AIR
    std::uint32_t threshold = 0;

    friend bool operator==(const TraceHeightConstraint&, const TraceHeightConstraint&) = default;
};

struct VerifyingKey {
    SystemParams params;
    std::vector<AirVerifyingKey> airs;
    std::vector<TraceHeightConstraint> trace_height_constraints;
    Digest pre_hash{};

    friend bool operator==(const VerifyingKey&, const VerifyingKey&) = default;
};

/// The postcard bytes of a key (`vk.postcard`), and of a key without its pre-hash. Errors: kMachine (memory).
Result<std::vector<std::byte>> encode_verifying_key(const VerifyingKey& vk) noexcept;
Result<std::vector<std::byte>> encode_verifying_key_inner(const VerifyingKey& vk) noexcept;
/// PROTOCOL.md 6.7: the sponge hash of version, length and body, one field element per byte. Errors: kMachine (memory).
Result<Digest> verifying_key_pre_hash(const VerifyingKey& vk) noexcept;
/// Whether `vk` keeps all that a prover and a verifier rely on: parameters that work (check_params), node indices that
/// point backwards, variables inside their parts, degrees no smaller than the expressions make them, ascending
/// constraints, messages of 1 to 2^log_max_message_length − 1 fields, preprocessed data of a height and width that the
/// parameters allow, and the trace height constraints that follow from the interactions (PROTOCOL.md 6.6). The pre-hash
/// is not computed. Takes time linear in the key.
/// Errors: kInvalidArgument, with AIR, place, expected and found; kMachine (memory).
Result<void> check_key(const VerifyingKey& vk) noexcept;
/// Reads a key from untrusted bytes, and checks it (check_key), and that the pre-hash is the body's.
/// Errors: kBadFormat, with the byte offset; what check_key finds has the offset of its AIR or section. kMachine (memory).
Result<VerifyingKey> decode_verifying_key(std::span<const std::byte> bytes) noexcept;

}  // namespace whorl
