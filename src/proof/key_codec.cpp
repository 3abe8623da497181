// The verifying key's postcard bytes (PROTOCOL.md section 7) and their hash (6.7). Field elements are in Montgomery form.
#include "proof/key_codec.hpp"

#include <limits>
#include <utility>

#include <fmt/format.h>
#include <whorl/proof.hpp>

#include "hash/poseidon2.hpp"
#include "key/params_fault.hpp"
#include "machine/guard.hpp"
#include "proof/byte_reader.hpp"
#include "proof/check_key.hpp"

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
    /// A signed 64-bit number of the format that must fit 32 bits here.
    std::int32_t zigzag32(std::string_view what) {
        const std::uint64_t word = varint(64, what);
        const std::int64_t value = static_cast<std::int64_t>(word >> 1) ^ -static_cast<std::int64_t>(word & 1);
        if (value != static_cast<std::int32_t>(value)) {
            fail(what, "a number of 32 bits", fmt::format("{}", value));
            return 0;
        }
        return static_cast<std::int32_t>(value);
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
    // Before the rest is read, which may be long.
    if (in.ok()) {
        if (const auto checked = find_params_fault(params); !checked) {
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

SymbolicNode read_node(Reader& in) {
    SymbolicNode node;
    const std::uint32_t tag = in.u32("node kind");
    in.expect_at_most(tag, static_cast<std::uint64_t>(Op::kMul), "node kind");
    if (!in.ok()) return node;
    node.op = static_cast<Op>(tag);
    switch (node.op) {
        case Op::kVariable:
            node.variable = read_variable(in);
            break;
        case Op::kIsFirstRow:
        case Op::kIsLastRow:
        case Op::kIsTransition:
            break;
        case Op::kConstant:
            node.constant = in.fp("constant");
            break;
        case Op::kAdd:
        case Op::kSub:
        case Op::kMul:
        case Op::kNeg:
            node.left = in.size32("left operand");
            if (node.op != Op::kNeg) node.right = in.size32("right operand");
            node.degree = in.size32("degree");
            break;
    }
    return node;
}

AirVerifyingKey read_air(Reader& in) {
    AirVerifyingKey air;
    if (in.flag("preprocessed data")) {
        PreprocessedData& data = air.preprocessed.emplace();
        data.commit = in.digest("preprocessed commitment");
        data.hypercube_dim = in.zigzag32("preprocessed hypercube_dim");
        data.stacking_width = in.size32("preprocessed stacking width");
    }
    if (in.flag("preprocessed width")) air.width.preprocessed = in.size32("preprocessed width");
    air.width.cached_mains.resize(in.length(1, "cached mains"));
    for (std::uint32_t& width : air.width.cached_mains) width = in.size32("cached main width");
    air.width.common_main = in.size32("common main width");
    air.num_public_values = in.size32("number of public values");
    air.need_rot = in.flag("need_rot");

    const std::size_t num_nodes = in.length(1, "nodes");
    air.nodes.reserve(num_nodes);
    for (std::size_t i = 0; i < num_nodes && in.ok(); ++i) air.nodes.push_back(read_node(in));
    air.constraint_idx.resize(in.length(1, "constraints"));
    for (std::uint32_t& root : air.constraint_idx) root = in.size32("constraint");
    air.interactions.resize(in.length(4, "interactions"));
    for (SymbolicInteraction& interaction : air.interactions) {
        interaction.message.resize(in.length(1, "message"));
        for (std::uint32_t& root : interaction.message) root = in.size32("message value");
        interaction.count = in.size32("count");
        interaction.bus_index = static_cast<std::uint16_t>(in.varint(16, "bus index"));
        interaction.count_weight = in.u32("count weight");
    }
    air.max_constraint_degree = in.byte("max_constraint_degree");
    air.is_required = in.flag("is_required");
    air.unused_variables.resize(in.length(2, "unused variables"));
    for (std::size_t i = 0; i < air.unused_variables.size() && in.ok(); ++i) {
        air.unused_variables[i] = read_variable(in);
    }
    return air;
}

void read_height_constraints(Reader& in, VerifyingKey& vk) {
    vk.trace_height_constraints.resize(in.length(2, "constraints"));
    for (TraceHeightConstraint& constraint : vk.trace_height_constraints) {
        constraint.coefficients.resize(in.length(1, "coefficients"));
        for (std::uint32_t& coefficient : constraint.coefficients) coefficient = in.u32("coefficient");
        constraint.threshold = in.u32("threshold");
        if (!in.ok()) return;
    }
}

// Where the parts of a key begin, for messages.
struct Offsets {
    std::vector<std::size_t> airs;
    std::size_t height_constraints = 0;
};

void fail_with(Reader& in, const KeyFault& fault, const Offsets& offsets) {
    std::size_t offset = 0;
    switch (fault.section) {
        case KeyFault::Section::kParams:
            in.enter("params");
            break;
        case KeyFault::Section::kAirs:
            in.enter(fmt::format("AIR {}", fault.air_id));
            if (fault.air_id < offsets.airs.size()) offset = offsets.airs[fault.air_id];
            break;
        case KeyFault::Section::kHeightConstraints:
            in.enter("trace height constraints");
            offset = offsets.height_constraints;
            break;
    }
    in.fail_at(offset, fault.what, fault.expected, fault.found);
}

std::vector<std::byte> inner_bytes(const VerifyingKey& vk) {
    Writer out;
    write_inner(out, vk);
    return out.take_bytes();
}

Digest pre_hash_of(const VerifyingKey& vk) {
    const std::vector<std::byte> body = inner_bytes(vk);
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

Result<VerifyingKey> read_key(std::span<const std::byte> bytes, PreHashCheck check) {
    Reader in(bytes);
    VerifyingKey vk;
    Offsets offsets;
    vk.params = read_params(in);
    in.enter("AIRs");
    // An AIR takes at least 12 bytes.
    vk.airs.resize(in.length(12, "AIRs"));
    for (std::size_t i = 0; i < vk.airs.size() && in.ok(); ++i) {
        in.enter(fmt::format("AIR {}", i));
        offsets.airs.push_back(in.offset());
        vk.airs[i] = read_air(in);
    }
    in.enter("trace height constraints");
    offsets.height_constraints = in.offset();
    read_height_constraints(in, vk);
    in.enter("pre-hash");
    const std::size_t pre_hash_offset = in.offset();
    vk.pre_hash = in.digest("pre-hash");
    in.finish();
    if (in.ok()) {
        if (const auto fault = find_key_fault(vk)) fail_with(in, *fault, offsets);
    }
    if (in.ok() && check == PreHashCheck::kCheck && vk.pre_hash != pre_hash_of(vk)) {
        in.fail_at(pre_hash_offset, "pre-hash", "the hash of the key", "another digest");
    }
    if (!in.ok()) return in.take_error();
    return vk;
}

}  // namespace

Result<std::vector<std::byte>> encode_verifying_key_inner(const VerifyingKey& vk) noexcept {
    return guarded("encode_verifying_key", [&]() -> Result<std::vector<std::byte>> { return inner_bytes(vk); });
}

Result<std::vector<std::byte>> encode_verifying_key(const VerifyingKey& vk) noexcept {
    return guarded("encode_verifying_key", [&]() -> Result<std::vector<std::byte>> {
        Writer out;
        write_inner(out, vk);
        out.put(vk.pre_hash);
        return out.take_bytes();
    });
}

Result<Digest> verifying_key_pre_hash(const VerifyingKey& vk) noexcept {
    return guarded("verifying_key_pre_hash", [&]() -> Result<Digest> { return pre_hash_of(vk); });
}

Result<VerifyingKey> decode_verifying_key(std::span<const std::byte> bytes, PreHashCheck check) noexcept {
    return guarded("decode_verifying_key", [&] { return read_key(bytes, check); });
}

Result<VerifyingKey> decode_verifying_key(std::span<const std::byte> bytes) noexcept {
    return decode_verifying_key(bytes, PreHashCheck::kCheck);
}

}  // namespace whorl
