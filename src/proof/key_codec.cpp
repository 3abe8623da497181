// The verifying key's postcard bytes (PROTOCOL.md section 7) and their hash (6.7). Field elements are in Montgomery form.
#include "proof/key_codec.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <whorl/proof.hpp>

#include "hash/poseidon2.hpp"
#include "proof/byte_reader.hpp"
#include "proof/layout.hpp"

namespace whorl {
namespace {

using Op = SymbolicNode::Op;
using Entry = Variable::Entry;

// ---- writing -------------------------------------------------------------------------------------------------------

class Writer {
public:
    void byte(std::uint8_t value) { bytes_.push_back(static_cast<std::byte>(value)); }
    void flag(bool value) { byte(value ? 1 : 0); }
    void varint(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80));
        byte(static_cast<std::uint8_t>(value));
    }
    void zigzag(std::int64_t value) {
        varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
    }
    void put(std::uint32_t value) { varint(value); }
    void put(Fp value) { varint(value.montgomery()); }
    void put(const Digest& digest) {
        for (const Fp x : digest) put(x);
    }
    void put(const Variable& variable) {
        varint(static_cast<std::uint64_t>(variable.entry));
        if (variable.entry == Entry::kMain) varint(variable.part_index);
        if (variable.entry == Entry::kMain || variable.entry == Entry::kPreprocessed) varint(variable.offset);
        varint(variable.index);
    }
    void put(const SymbolicNode& node) {
        varint(static_cast<std::uint64_t>(node.op));
        switch (node.op) {
            case Op::kVariable:
                put(node.variable);
                break;
            case Op::kIsFirstRow:
            case Op::kIsLastRow:
            case Op::kIsTransition:
                break;
            case Op::kConstant:
                put(node.constant);
                break;
            case Op::kAdd:
            case Op::kSub:
            case Op::kMul:
                varint(node.left);
                varint(node.right);
                varint(node.degree);
                break;
            case Op::kNeg:
                varint(node.left);
                varint(node.degree);
                break;
        }
    }
    void put(const SymbolicInteraction& interaction) {
        put_vec(interaction.message);
        varint(interaction.count);
        varint(interaction.bus_index);
        varint(interaction.count_weight);
    }
    template <class T>
    void put_vec(const std::vector<T>& items) {
        varint(items.size());
        for (const T& item : items) put(item);
    }

    std::vector<std::byte> take_bytes() { return std::move(bytes_); }

private:
    std::vector<std::byte> bytes_;
};

void write_params(Writer& out, const SystemParams& params) {
    out.varint(params.l_skip);
    out.varint(params.n_stack);
    out.varint(params.w_stack);
    out.varint(params.log_blowup);
    out.varint(params.whir.k);
    out.put_vec(params.whir.num_queries);
    out.varint(params.whir.mu_pow_bits);
    out.varint(params.whir.query_phase_pow_bits);
    out.varint(params.whir.folding_pow_bits);
    out.varint(params.whir.proximity.index());
    if (const auto* split = std::get_if<SplitUniqueList>(&params.whir.proximity)) {
        out.varint(split->m);
        out.varint(split->list_start_round);
    } else if (const auto* list = std::get_if<ListDecoding>(&params.whir.proximity)) {
        out.varint(list->m);
    }
    out.varint(params.logup.max_interaction_count);
    out.varint(params.logup.log_max_message_length);
    out.varint(params.logup.pow_bits);
    out.varint(params.max_constraint_degree);
}

void write_air(Writer& out, const AirVerifyingKey& air) {
    out.flag(air.preprocessed.has_value());
    if (air.preprocessed) {
        out.put(air.preprocessed->commit);
        out.zigzag(air.preprocessed->hypercube_dim);
        out.varint(air.preprocessed->stacking_width);
    }
    out.flag(air.width.preprocessed.has_value());
    if (air.width.preprocessed) out.varint(*air.width.preprocessed);
    out.put_vec(air.width.cached_mains);
    out.varint(air.width.common_main);
    out.varint(air.num_public_values);
    out.flag(air.need_rot);
    out.put_vec(air.nodes);
    out.put_vec(air.constraint_idx);
    out.put_vec(air.interactions);
    out.byte(air.max_constraint_degree);
    out.flag(air.is_required);
    out.put_vec(air.unused_variables);
}

void write_inner(Writer& out, const VerifyingKey& vk) {
    write_params(out, vk.params);
    out.varint(vk.airs.size());
    for (const AirVerifyingKey& air : vk.airs) write_air(out, air);
    out.varint(vk.trace_height_constraints.size());
    for (const TraceHeightConstraint& constraint : vk.trace_height_constraints) {
        out.put_vec(constraint.coefficients);
        out.varint(constraint.threshold);
    }
}

// ---- reading -------------------------------------------------------------------------------------------------------

class Reader : public ByteReader {
public:
    explicit Reader(std::span<const std::byte> bytes) : ByteReader(bytes, "key.decode") {}

    std::uint8_t byte(std::string_view what) {
        const std::byte* data = take(1, what);
        return data == nullptr ? std::uint8_t{0} : std::to_integer<std::uint8_t>(*data);
    }
    bool flag(std::string_view what) {
        const std::uint8_t value = byte(what);
        if (value > 1) fail(what, "0 or 1", fmt::format("{}", value));
        return value == 1;
    }
    /// As the postcard crate: at most ceil(bits / 7) bytes, leading zero groups allowed, no bit above `bits`.
    std::uint64_t varint(unsigned bits, std::string_view what) {
        const unsigned max_bytes = (bits + 6) / 7;
        std::uint64_t value = 0;
        for (unsigned i = 0; i < max_bytes; ++i) {
            const std::uint64_t group = byte(what);
            if (!ok()) return 0;
            if (i + 1 == max_bytes && group >= std::uint64_t{1} << (bits - 7 * i)) break;
            value |= (group & 0x7f) << (7 * i);
            if (group < 0x80) return value;
        }
        fail(what, fmt::format("a varint of {} bits", bits), "a longer one");
        return 0;
    }
    /// A 64-bit number of the format that must fit 32 bits here.
    std::uint32_t size32(std::string_view what) {
        const std::uint64_t value = varint(64, what);
        if (value > std::numeric_limits<std::uint32_t>::max()) {
            fail(what, "a number below 2^32", fmt::format("{}", value));
            return 0;
        }
        return static_cast<std::uint32_t>(value);
    }
    std::uint32_t u32(std::string_view what) { return static_cast<std::uint32_t>(varint(32, what)); }
    std::int64_t zigzag(std::string_view what) {
        const std::uint64_t value = varint(64, what);
        return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
    }
    std::size_t length(std::size_t min_item_bytes, std::string_view what) {
        return static_cast<std::size_t>(bounded(varint(64, what), min_item_bytes, what));
    }
    Fp fp(std::string_view what) {
        const std::uint32_t word = u32(what);
        if (word >= Fp::kModulus) {
            fail(what, fmt::format("a Montgomery word below {}", Fp::kModulus), fmt::format("{}", word));
            return Fp();
        }
        return Fp::from_montgomery(word);
    }
    Digest digest(std::string_view what) {
        Digest out;
        for (Fp& x : out) x = fp(what);
        return out;
    }
    /// An index that must be below `limit`.
    std::uint32_t index(std::uint64_t limit, std::string_view what) {
        const std::uint32_t value = size32(what);
        expect_below(value, limit, what);
        return value;
    }
    void expect_below(std::uint64_t value, std::uint64_t limit, std::string_view what) {
        if (ok() && value >= limit) fail(what, fmt::format("below {}", limit), fmt::format("{}", value));
    }
    void expect_at_most(std::uint64_t value, std::uint64_t limit, std::string_view what) {
        if (ok() && value > limit) fail(what, fmt::format("at most {}", limit), fmt::format("{}", value));
    }
};

SystemParams read_params(Reader& in) {
    in.enter("params");
    SystemParams params;
    params.l_skip = in.size32("l_skip");
    params.n_stack = in.size32("n_stack");
    params.w_stack = in.varint(64, "w_stack");
    params.log_blowup = in.size32("log_blowup");
    params.whir.k = in.size32("whir.k");
    params.whir.num_queries.resize(in.length(1, "whir.rounds"));
    for (std::uint32_t& count : params.whir.num_queries) count = in.size32("whir.rounds.num_queries");
    params.whir.mu_pow_bits = in.size32("whir.mu_pow_bits");
    params.whir.query_phase_pow_bits = in.size32("whir.query_phase_pow_bits");
    params.whir.folding_pow_bits = in.size32("whir.folding_pow_bits");
    switch (const std::uint32_t tag = in.u32("whir.proximity"); tag) {
        case 0:
            params.whir.proximity = UniqueDecoding{};
            break;
        case 1: {
            SplitUniqueList split;
            split.m = in.varint(64, "whir.proximity.m");
            split.list_start_round = in.varint(64, "whir.proximity.list_start_round");
            params.whir.proximity = split;
            break;
        }
        case 2:
            params.whir.proximity = ListDecoding{in.varint(64, "whir.proximity.m")};
            break;
        default:
            in.fail("whir.proximity", "a tag from 0 to 2", fmt::format("{}", tag));
    }
    params.logup.max_interaction_count = in.u32("logup.max_interaction_count");
    params.logup.log_max_message_length = in.u32("logup.log_max_message_length");
    params.logup.pow_bits = in.size32("logup.pow_bits");
    params.max_constraint_degree = in.size32("max_constraint_degree");
    if (in.ok()) {
        if (const auto checked = check_params(params); !checked) {
            in.fail("system parameters", "workable ones", checked.error().message);
        }
    }
    return params;
}

Variable read_variable(Reader& in) {
    Variable variable;
    const std::uint32_t tag = in.u32("variable entry");
    in.expect_at_most(tag, 3, "variable entry");
    if (!in.ok()) return variable;
    variable.entry = static_cast<Entry>(tag);
    if (variable.entry == Entry::kMain) variable.part_index = in.size32("variable part");
    if (variable.entry == Entry::kMain || variable.entry == Entry::kPreprocessed) {
        variable.offset = in.size32("variable offset");
    }
    variable.index = in.size32("variable index");
    return variable;
}

// A variable that an expression reads must exist.
void check_variable(Reader& in, const AirVerifyingKey& air, const Variable& variable) {
    std::uint64_t width = 0;
    switch (variable.entry) {
        case Entry::kPreprocessed:
            width = air.width.preprocessed.value_or(0);
            break;
        case Entry::kMain: {
            const std::size_t num_cached = air.width.cached_mains.size();
            in.expect_at_most(variable.part_index, num_cached, "variable part");
            if (!in.ok()) return;
            width =
                variable.part_index == num_cached ? air.width.common_main : air.width.cached_mains[variable.part_index];
            break;
        }
        case Entry::kPublic:
            width = air.num_public_values;
            break;
        case Entry::kChallenge:
            in.fail("variable entry", "a trace column or public value", "a challenge");
            return;
    }
    in.expect_below(variable.index, width, "variable index");
    in.expect_at_most(variable.offset, air.need_rot ? 1 : 0, "variable offset");
}

// Reads node `id`; its operands come before it and its degree is no less than its operands make it. `degrees` holds the
// true degree of each earlier node and receives this one's.
SymbolicNode read_node(Reader& in, const AirVerifyingKey& air, std::size_t id, std::uint32_t max_degree,
                       std::vector<std::uint32_t>& degrees) {
    SymbolicNode node;
    const std::uint32_t tag = in.u32("node kind");
    in.expect_at_most(tag, static_cast<std::uint64_t>(Op::kMul), "node kind");
    std::uint64_t degree = 0;
    if (in.ok()) {
        node.op = static_cast<Op>(tag);
        switch (node.op) {
            case Op::kVariable:
                node.variable = read_variable(in);
                if (in.ok()) check_variable(in, air, node.variable);
                degree = node.variable.entry == Entry::kMain || node.variable.entry == Entry::kPreprocessed ? 1 : 0;
                break;
            case Op::kIsFirstRow:
            case Op::kIsLastRow:
            case Op::kIsTransition:
                degree = 1;
                break;
            case Op::kConstant:
                node.constant = in.fp("constant");
                break;
            case Op::kAdd:
            case Op::kSub:
            case Op::kMul:
            case Op::kNeg:
                node.left = in.index(id, "left operand");
                if (node.op != Op::kNeg) node.right = in.index(id, "right operand");
                node.degree = in.size32("degree");
                if (!in.ok()) break;
                if (node.op == Op::kMul) {
                    degree = std::uint64_t{degrees[node.left]} + degrees[node.right];
                } else {
                    degree =
                        node.op == Op::kNeg ? degrees[node.left] : std::max(degrees[node.left], degrees[node.right]);
                }
                if (degree > node.degree) {
                    in.fail("degree", fmt::format("at least {}", degree), fmt::format("{}", node.degree));
                }
                in.expect_at_most(node.degree, max_degree, "degree");
                break;
        }
    }
    degrees.push_back(in.ok() ? static_cast<std::uint32_t>(degree) : 0);
    return node;
}

AirVerifyingKey read_air(Reader& in, const SystemParams& params) {
    AirVerifyingKey air;
    if (in.flag("preprocessed data")) {
        PreprocessedData& data = air.preprocessed.emplace();
        data.commit = in.digest("preprocessed commitment");
        const std::int64_t dim = in.zigzag("preprocessed hypercube_dim");
        data.stacking_width = in.size32("preprocessed stacking width");
        // The height lies between 1 and the stacked height.
        if (dim < -std::int64_t{params.l_skip} || dim > std::int64_t{params.n_stack}) {
            in.fail("preprocessed hypercube_dim", fmt::format("from -{} to {}", params.l_skip, params.n_stack),
                    fmt::format("{}", dim));
        } else {
            data.hypercube_dim = static_cast<std::int32_t>(dim);
        }
    }
    if (in.flag("preprocessed width")) air.width.preprocessed = in.size32("preprocessed width");
    if (in.ok() && air.width.preprocessed.has_value() != air.preprocessed.has_value()) {
        in.fail("preprocessed width", "present exactly when preprocessed data is",
                air.preprocessed ? "absent" : "present");
    }
    air.width.cached_mains.resize(in.length(1, "cached mains"));
    std::uint64_t main_width = 0;
    for (std::uint32_t& width : air.width.cached_mains) main_width += width = in.size32("cached main width");
    main_width += air.width.common_main = in.size32("common main width");
    if (in.ok() && main_width == 0) in.fail("main width", "at least 1", "0");
    if (in.ok() && air.preprocessed) {
        const MatrixShape shape{
            *air.width.preprocessed,
            static_cast<std::uint32_t>(air.preprocessed->hypercube_dim + static_cast<std::int32_t>(params.l_skip))};
        const std::uint64_t width = stacked_width(params.l_skip, params.log_stacked_height(), {&shape, 1});
        if (air.preprocessed->stacking_width != width) {
            in.fail("preprocessed stacking width", fmt::format("{}", width),
                    fmt::format("{}", air.preprocessed->stacking_width));
        }
    }
    air.num_public_values = in.size32("number of public values");
    air.need_rot = in.flag("need_rot");

    const std::size_t num_nodes = in.length(1, "nodes");
    in.expect_at_most(num_nodes, std::numeric_limits<std::uint32_t>::max(), "nodes");
    air.nodes.reserve(in.ok() ? num_nodes : 0);
    std::vector<std::uint32_t> degrees;
    degrees.reserve(air.nodes.capacity());
    for (std::size_t i = 0; i < num_nodes && in.ok(); ++i) {
        air.nodes.push_back(read_node(in, air, i, params.max_constraint_degree, degrees));
    }
    // Roots of constraints and interactions decide the degree of what is sent.
    std::uint32_t max_degree = 0;
    const auto read_root = [&](std::string_view what) {
        const std::uint32_t root = in.index(num_nodes, what);
        if (in.ok()) max_degree = std::max(max_degree, degrees[root]);
        return root;
    };
    air.constraint_idx.resize(in.length(1, "constraints"));
    for (std::size_t i = 0; i < air.constraint_idx.size() && in.ok(); ++i) {
        air.constraint_idx[i] = read_root("constraint");
        if (i > 0 && air.constraint_idx[i] <= air.constraint_idx[i - 1]) {
            in.fail("constraint", fmt::format("above {}", air.constraint_idx[i - 1]),
                    fmt::format("{}", air.constraint_idx[i]));
        }
    }
    air.interactions.resize(in.length(4, "interactions"));
    for (std::size_t i = 0; i < air.interactions.size() && in.ok(); ++i) {
        SymbolicInteraction& interaction = air.interactions[i];
        interaction.message.resize(in.length(1, "message"));
        if (in.ok() && interaction.message.empty()) in.fail("message", "at least one value", "none");
        in.expect_at_most(std::uint64_t{interaction.message.size()} + 1,
                          std::uint64_t{1} << std::min(params.logup.log_max_message_length, 63u),
                          "message length with its bus");
        for (std::uint32_t& root : interaction.message) root = read_root("message value");
        interaction.count = read_root("count");
        interaction.bus_index = static_cast<std::uint16_t>(in.varint(16, "bus index"));
        interaction.count_weight = in.u32("count weight");
    }
    air.max_constraint_degree = in.byte("max_constraint_degree");
    in.expect_at_most(air.max_constraint_degree, params.max_constraint_degree, "max_constraint_degree");
    if (in.ok() && air.max_constraint_degree < max_degree) {
        in.fail("max_constraint_degree", fmt::format("at least {}", max_degree),
                fmt::format("{}", air.max_constraint_degree));
    }
    air.is_required = in.flag("is_required");
    air.unused_variables.resize(in.length(2, "unused variables"));
    for (std::size_t i = 0; i < air.unused_variables.size() && in.ok(); ++i) {
        air.unused_variables[i] = read_variable(in);
    }
    return air;
}

void read_height_constraints(Reader& in, VerifyingKey& vk) {
    in.enter("trace height constraints");
    vk.trace_height_constraints.resize(in.length(2, "constraints"));
    for (TraceHeightConstraint& constraint : vk.trace_height_constraints) {
        constraint.coefficients.resize(in.length(1, "coefficients"));
        if (in.ok() && constraint.coefficients.size() != vk.airs.size()) {
            in.fail("coefficients", fmt::format("one for each of {} AIRs", vk.airs.size()),
                    fmt::format("{}", constraint.coefficients.size()));
        }
        std::uint64_t sum = 0;
        for (std::uint32_t& coefficient : constraint.coefficients) sum += coefficient = in.u32("coefficient");
        // Σ coefficient · height is computed in 64 bits.
        in.expect_at_most(sum, std::numeric_limits<std::uint64_t>::max() >> vk.params.log_stacked_height(),
                          "sum of coefficients");
        constraint.threshold = in.u32("threshold");
        if (!in.ok()) return;
    }
}

}  // namespace

std::vector<std::byte> encode_verifying_key_inner(const VerifyingKey& vk) {
    Writer out;
    write_inner(out, vk);
    return out.take_bytes();
}

std::vector<std::byte> encode_verifying_key(const VerifyingKey& vk) {
    Writer out;
    write_inner(out, vk);
    out.put(vk.pre_hash);
    return out.take_bytes();
}

Digest verifying_key_pre_hash(const VerifyingKey& vk) {
    const std::vector<std::byte> body = encode_verifying_key_inner(vk);
    std::vector<Fp> message;
    message.reserve(12 + body.size());
    const auto put_le = [&](std::uint64_t value, unsigned num_bytes) {
        for (unsigned i = 0; i < num_bytes; ++i) {
            message.push_back(Fp::from_canonical(static_cast<std::uint32_t>(value >> (8 * i)) & 0xff));
        }
    };
    put_le(kCodecVersion, 4);
    put_le(body.size(), 8);
    for (const std::byte b : body) message.push_back(Fp::from_canonical(std::to_integer<std::uint32_t>(b)));
    return hash_slice(message);
}

Result<VerifyingKey> decode_verifying_key(std::span<const std::byte> bytes, PreHashCheck check) {
    Reader in(bytes);
    VerifyingKey vk;
    vk.params = read_params(in);
    in.enter("AIRs");
    // An AIR takes at least 12 bytes.
    vk.airs.resize(in.length(12, "AIRs"));
    for (std::size_t i = 0; i < vk.airs.size() && in.ok(); ++i) {
        in.enter(fmt::format("AIR {}", i));
        vk.airs[i] = read_air(in, vk.params);
    }
    read_height_constraints(in, vk);
    in.enter("pre-hash");
    const std::size_t pre_hash_offset = in.offset();
    vk.pre_hash = in.digest("pre-hash");
    in.finish();
    if (in.ok() && check == PreHashCheck::kCheck && vk.pre_hash != verifying_key_pre_hash(vk)) {
        in.fail_at(pre_hash_offset, "pre-hash", "the hash of the key", "another digest");
    }
    if (!in.ok()) return in.take_error();
    return vk;
}

Result<VerifyingKey> decode_verifying_key(std::span<const std::byte> bytes) {
    return decode_verifying_key(bytes, PreHashCheck::kCheck);
}

}  // namespace whorl
