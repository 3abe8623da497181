#include "backend/cpu/gkr.hpp"

#include "field/simd.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/gkr.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target comes first
#include <hwy/highway.h>
#include "field/packed-inl.hpp"
// clang-format on

#include <algorithm>
#include <array>
#include <bit>
#include <map>

#include "backend/cpu/columns.hpp"
#include "backend/cpu/interpreter.hpp"
#include "backend/cpu/parallel.hpp"
#include "backend/cpu/vector_ops.hpp"
#include "poly/prismalinear.hpp"

#ifndef WHORL_GKR_TYPES_
#define WHORL_GKR_TYPES_
namespace whorl {

// The four tables of a layer; p is either in F (one plane) or in the extension.
struct GkrTables {
    const std::uint32_t *p0, *p1, *q0, *q1;
    std::size_t stride;
    std::size_t size;  ///< stored cells of each
    Fp4 padding_q;     ///< of the cells that are not: 0 / padding_q
};

namespace {

struct GkrOutTables {
    std::uint32_t *p0, *p1, *q0, *q1;
    std::size_t stride;
};
// Sums of eq·(p0·q1 + p1·q0) and of eq·q0·q1, at X = 1 and for the leading coefficient in X.
struct GkrSums {
    Fp4 pq_at_1, qq_at_1, pq_leading, qq_leading;
    GkrSums& operator+=(const GkrSums& o) {
        pq_at_1 += o.pq_at_1;
        qq_at_1 += o.qq_at_1;
        pq_leading += o.pq_leading;
        qq_leading += o.qq_leading;
        return *this;
    }
};

}  // namespace
}  // namespace whorl
#endif

HWY_BEFORE_NAMESPACE();
namespace whorl {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE V4 times(const V4& q, const V4& p) {
    return mul4(q, p);
}
HWY_INLINE V4 times(const V4& q, V p) {
    return mul4_base(q, p);
}
HWY_INLINE V4 minus(const V4& a, const V4& b) {
    return sub4(a, b);
}
HWY_INLINE V minus(V a, V b) {
    return sub(a, b);
}
template <bool kBase>
HWY_INLINE auto load_p(const std::uint32_t* p, std::size_t stride) {
    if constexpr (kBase) {
        (void)stride;
        return load(p);
    } else {
        return load4(p, stride);
    }
}
template <bool kBase>
HWY_INLINE auto load_p_pairs(const std::uint32_t* p, std::size_t stride) {
    if constexpr (kBase) {
        (void)stride;
        return load_pairs(p);
    } else {
        return load4_pairs(p, stride);
    }
}

HWY_INLINE void store4_split(const V4& lo, const V4& hi, std::uint32_t* even, std::uint32_t* odd, std::size_t stride) {
    const D32 d;
    store4({hn::ConcatEven(d, hi.c0, lo.c0), hn::ConcatEven(d, hi.c1, lo.c1), hn::ConcatEven(d, hi.c2, lo.c2),
            hn::ConcatEven(d, hi.c3, lo.c3)},
           even, stride);
    store4({hn::ConcatOdd(d, hi.c0, lo.c0), hn::ConcatOdd(d, hi.c1, lo.c1), hn::ConcatOdd(d, hi.c2, lo.c2),
            hn::ConcatOdd(d, hi.c3, lo.c3)},
           odd, stride);
}

// Nodes 2·begin … 2·end of the layer above: out (p0, p1, q0, q1) are its even and odd cells.
template <bool kBase>
void TreeLayerAs(const GkrTables& in, const GkrOutTables& out, std::size_t begin, std::size_t end) {
    const std::size_t lanes = num_lanes();
    for (std::size_t i = begin; i < end; i += lanes) {
        V4 p[2], q[2];
        for (unsigned half = 0; half < 2; ++half) {
            const std::size_t at = 2 * i + half * lanes;
            const auto p0 = load_p<kBase>(in.p0 + at, in.stride);
            const auto p1 = load_p<kBase>(in.p1 + at, in.stride);
            const V4 q0 = load4(in.q0 + at, in.stride), q1 = load4(in.q1 + at, in.stride);
            p[half] = add4(times(q1, p0), times(q0, p1));
            q[half] = mul4(q0, q1);
        }
        store4_split(p[0], p[1], out.p0 + i, out.p1 + i, out.stride);
        store4_split(q[0], q[1], out.q0 + i, out.q1 + i, out.stride);
    }
}
void TreeLayer(bool is_base, const GkrTables& in, const GkrOutTables& out, std::size_t begin, std::size_t end) {
    return is_base ? TreeLayerAs<true>(in, out, begin, end) : TreeLayerAs<false>(in, out, begin, end);
}

template <bool kBase, bool kWithQq>
void MessageAs(const GkrTables& t, const std::uint32_t* eq, std::size_t eq_stride, std::size_t begin, std::size_t end,
               GkrSums* out) {
    V4 pq1 = zero4(), qq1 = zero4(), pql = zero4(), qql = zero4();
    for (std::size_t i = begin; i < end; i += num_lanes()) {
        const auto p0 = load_p_pairs<kBase>(t.p0 + 2 * i, t.stride);
        const auto p1 = load_p_pairs<kBase>(t.p1 + 2 * i, t.stride);
        const V4Pair q0 = load4_pairs(t.q0 + 2 * i, t.stride), q1 = load4_pairs(t.q1 + 2 * i, t.stride);
        const V4 e = load4(eq + i, eq_stride);
        const V4 dq0 = sub4(q0.odd, q0.even), dq1 = sub4(q1.odd, q1.even);
        pq1 = add4(pq1, mul4(add4(times(q1.odd, p0.odd), times(q0.odd, p1.odd)), e));
        pql = add4(pql, mul4(add4(times(dq1, minus(p0.odd, p0.even)), times(dq0, minus(p1.odd, p1.even))), e));
        if constexpr (kWithQq) {
            qq1 = add4(qq1, mul4(mul4(q0.odd, q1.odd), e));
            qql = add4(qql, mul4(mul4(dq0, dq1), e));
        }
    }
    *out = {sum_lanes4(pq1), sum_lanes4(qq1), sum_lanes4(pql), sum_lanes4(qql)};
}
void Message(bool is_base, bool with_qq, const GkrTables& t, const std::uint32_t* eq, std::size_t eq_stride,
             std::size_t begin, std::size_t end, GkrSums* out) {
    if (is_base) return MessageAs<true, true>(t, eq, eq_stride, begin, end, out);
    if (with_qq) return MessageAs<false, true>(t, eq, eq_stride, begin, end, out);
    return MessageAs<false, false>(t, eq, eq_stride, begin, end, out);
}

HWY_INLINE V4 fold_p(const V4Pair& p, const V4& r) {
    return add4(p.even, mul4(sub4(p.odd, p.even), r));
}
HWY_INLINE V4 fold_p(const VPair& p, const V4& r) {
    V4 out = mul4_base(r, sub(p.odd, p.even));
    out.c0 = add(out.c0, p.even);
    return out;
}

// The first fold of a layer: also passes from p to P = p + half_lambda·q.
template <bool kBase>
void FirstFoldAs(const GkrTables& t, const GkrOutTables& out, std::size_t begin, std::size_t end, const Fp4& r,
                 const Fp4& half_lambda) {
    const V4 rv = broadcast4(r), lv = broadcast4(half_lambda);
    for (std::size_t i = begin; i < end; i += num_lanes()) {
        const V4 q0 = fold_p(load4_pairs(t.q0 + 2 * i, t.stride), rv);
        const V4 q1 = fold_p(load4_pairs(t.q1 + 2 * i, t.stride), rv);
        const V4 p0 = fold_p(load_p_pairs<kBase>(t.p0 + 2 * i, t.stride), rv);
        const V4 p1 = fold_p(load_p_pairs<kBase>(t.p1 + 2 * i, t.stride), rv);
        store4(q0, out.q0 + i, out.stride);
        store4(q1, out.q1 + i, out.stride);
        store4(add4(p0, mul4(q0, lv)), out.p0 + i, out.stride);
        store4(add4(p1, mul4(q1, lv)), out.p1 + i, out.stride);
    }
}
void FirstFold(bool is_base, const GkrTables& t, const GkrOutTables& out, std::size_t begin, std::size_t end,
               const Fp4& r, const Fp4& half_lambda) {
    return is_base ? FirstFoldAs<true>(t, out, begin, end, r, half_lambda)
                   : FirstFoldAs<false>(t, out, begin, end, r, half_lambda);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whorl
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl {
HWY_EXPORT(TreeLayer);
HWY_EXPORT(Message);
HWY_EXPORT(FirstFold);
}  // namespace whorl

namespace whorl::cpu {
namespace {

constexpr std::size_t kGrain = 2048;
// Cells of one parity are stored in blocks, so that half of them are whole vectors.
constexpr std::size_t kStoredBlock = 2 * kLaneAlignment;

// One AIR's interactions as a program: stored numerators, one sum for each different denominator.
struct LeafProgram {
    ConstraintProgram program;
    std::vector<std::uint32_t> sum_of;  // [interaction]
    std::vector<int> output_of;         // [interaction]: program output, −1 where the count is constant
    std::vector<Fp> constant_count;     // [interaction]
    std::vector<Fp> constants;
    std::vector<Fp4> coefficients;
    std::vector<Fp4> sum_constants;
};

LeafProgram make_leaf_program(const AirVerifyingKey& air, std::span<const Fp> public_values, const Fp4& alpha,
                              std::span<const Fp4> beta_powers) {
    LeafProgram leaf;
    const std::vector<bool> reads = nodes_reading_trace(air);
    const std::vector<Fp> node_values = constant_node_values(air, reads, public_values);
    ProgramRequest request;
    std::map<std::pair<std::uint16_t, std::vector<std::uint32_t>>, std::uint32_t> sums;
    std::vector<std::map<std::uint32_t, Fp4>> weight;  // [sum][node]
    for (const SymbolicInteraction& interaction : air.interactions) {
        const auto [it, is_new] = sums.try_emplace({interaction.bus_index, interaction.message}, request.num_sums);
        if (is_new) {
            ++request.num_sums;
            weight.emplace_back();
            for (std::size_t i = 0; i < interaction.message.size(); ++i) {
                request.terms.push_back({it->second, interaction.message[i]});
                weight.back()[interaction.message[i]] += beta_powers[i];
            }
            leaf.sum_constants.push_back(alpha + beta_powers[interaction.message.size()] *
                                                     Fp::from_canonical(interaction.bus_index + 1u));
        }
        leaf.sum_of.push_back(it->second);
        if (reads[interaction.count]) {
            leaf.output_of.push_back(static_cast<int>(request.stores.size()));
            request.stores.push_back(interaction.count);
        } else {
            leaf.output_of.push_back(-1);
        }
        leaf.constant_count.push_back(node_values[interaction.count]);
    }
    leaf.program = compile_program(air, request);
    for (const auto& term : leaf.program.terms) leaf.coefficients.push_back(weight[term.sum][term.node]);
    for (const auto& term : leaf.program.constant_terms) {
        leaf.sum_constants[term.sum] += weight[term.sum][term.node] * node_values[term.node];
    }
    leaf.constants = program_constants(leaf.program, node_values);
    return leaf;
}

}  // namespace

FractionTree::FractionTree(const ProverInput& input, const Fp4& alpha, const Fp4& beta)
    : num_layers_(input.layout.num_gkr_layers(input.params())) {
    build_leaves(input, alpha, beta);
    build_layers();
}

std::size_t FractionTree::num_stored(std::size_t used, std::size_t total) {
    return std::min(total, (used + kStoredBlock - 1) / kStoredBlock * kStoredBlock);
}

std::uint64_t FractionTree::num_words(unsigned num_layers, std::uint64_t num_cells) {
    constexpr std::uint64_t kExtWords = 4;
    std::size_t total = std::size_t{1} << (num_layers - 1);
    std::size_t stored = num_stored((num_cells + 1) / 2, total);
    std::uint64_t words = 2 * (1 + kExtWords) * stored;
    for (unsigned layer = num_layers - 1; layer >= 1; --layer) {
        total /= 2;
        stored = num_stored((stored + 1) / 2, total);
        words += 4 * kExtWords * stored;
    }
    return words;
}

void FractionTree::build_leaves(const ProverInput& input, const Fp4& alpha, const Fp4& beta) {
    const Span span(input.telemetry, "gkr_leaves");
    const std::size_t stored = num_stored((input.layout.num_logup_cells + 1) / 2, std::size_t{1} << (num_layers_ - 1));
    leaf_p_even_ = WordBuffer(padded_size(stored));
    leaf_p_odd_ = WordBuffer(padded_size(stored));
    leaf_q_even_ = ExtTable(stored);
    leaf_q_odd_ = ExtTable(stored);
    leaf_padding_q_ = alpha;

    const auto set_cell = [&](std::size_t cell, Fp p, const Fp4& q) {
        (cell % 2 == 0 ? leaf_p_even_ : leaf_p_odd_).data()[cell / 2] = p.montgomery();
        (cell % 2 == 0 ? leaf_q_even_ : leaf_q_odd_).set(cell / 2, q);
    };

    std::size_t max_message = 0;
    for (std::size_t t = 0; t < input.traces.size(); ++t) {
        for (const auto& i : input.air(t).interactions) max_message = std::max(max_message, i.message.size());
    }
    const std::vector<Fp4> beta_powers = powers(beta, max_message + 1);

    std::size_t first_block = 0;
    for (std::uint32_t t = 0; t < input.traces.size(); ++t) {
        const AirVerifyingKey& air = input.air(t);
        if (air.interactions.empty()) continue;
        const LeafProgram leaf = make_leaf_program(air, input.traces[t]->public_values, alpha, beta_powers);
        const std::span<const LogupBlock> blocks =
            std::span(input.layout.logup_blocks).subspan(first_block, air.interactions.size());
        first_block += air.interactions.size();
        const std::size_t height = input.traces[t]->height();
        const unsigned log_repetitions = input.log_repetitions(t);
        const Fp numerator_scale = Fp::half().pow(log_repetitions);
        const InputReader reader(input, t, leaf.program);
        const ProgramArgs args{&leaf.program, leaf.constants, leaf.coefficients, leaf.sum_constants};

        parallel_chunks((height + kBaseBlock - 1) / kBaseBlock, 4, [&](std::size_t begin, std::size_t end) {
            std::vector<std::uint32_t> inputs(leaf.program.num_inputs() * kBaseBlock);
            std::vector<std::uint32_t> registers(leaf.program.num_registers * kBaseBlock);
            std::vector<std::uint32_t> sums(std::size_t{leaf.program.num_sums} * 4 * kBaseBlock);
            std::vector<std::uint32_t> stored(std::size_t{leaf.program.num_outputs} * kBaseBlock);
            std::vector<std::uint32_t*> outputs;
            for (std::uint32_t i = 0; i < leaf.program.num_outputs; ++i)
                outputs.push_back(stored.data() + i * kBaseBlock);
            for (std::size_t block = begin; block < end; ++block) {
                const std::size_t row0 = block * kBaseBlock;
                const std::size_t rows = std::min(kBaseBlock, height - row0);
                reader.read_rows(row0, rows, inputs.data());
                run_base(args, inputs.data(), registers.data(), sums.data(), outputs);
                for (std::size_t i = 0; i < blocks.size(); ++i) {
                    const std::uint32_t* q = sums.data() + std::size_t{leaf.sum_of[i]} * 4 * kBaseBlock;
                    const std::uint32_t* p =
                        leaf.output_of[i] < 0 ? nullptr : outputs[static_cast<std::size_t>(leaf.output_of[i])];
                    // Only for a whole block of a trace that is not repeated: each row is one cell here, and start + row0, a
                    // multiple of kBaseBlock, is even. A trace below 2^l_skip rows has repetitions, however tall it is.
                    if (rows == kBaseBlock && log_repetitions == 0) {
                        const std::size_t at = (blocks[i].start + row0) / 2;
                        const std::uint32_t count = leaf.constant_count[i].montgomery();
                        for (std::size_t x = 0; x < kBaseBlock / 2; ++x) {
                            leaf_p_even_.data()[at + x] = p != nullptr ? p[2 * x] : count;
                            leaf_p_odd_.data()[at + x] = p != nullptr ? p[2 * x + 1] : count;
                        }
                        for (unsigned c = 0; c < 4; ++c) {
                            std::uint32_t* even = leaf_q_even_.data() + c * leaf_q_even_.stride() + at;
                            std::uint32_t* odd = leaf_q_odd_.data() + c * leaf_q_odd_.stride() + at;
                            for (std::size_t x = 0; x < kBaseBlock / 2; ++x) {
                                even[x] = q[c * kBaseBlock + 2 * x];
                                odd[x] = q[c * kBaseBlock + 2 * x + 1];
                            }
                        }
                        continue;
                    }
                    for (std::size_t x = 0; x < rows; ++x) {
                        Fp count = p != nullptr ? Fp::from_montgomery(p[x]) : leaf.constant_count[i];
                        if (log_repetitions != 0) count *= numerator_scale;
                        Fp4 denominator;
                        for (unsigned c = 0; c < 4; ++c) denominator.c[c] = Fp::from_montgomery(q[c * kBaseBlock + x]);
                        for (std::size_t copy = 0; copy < std::size_t{1} << log_repetitions; ++copy) {
                            set_cell(blocks[i].start + row0 + x + copy * height, count, denominator);
                        }
                    }
                }
            }
        });
    }
    for (std::size_t cell = input.layout.num_logup_cells; cell < 2 * stored; ++cell) set_cell(cell, Fp(), alpha);
}

void FractionTree::build_layers() {
    layers_.resize(num_layers_);
    for (unsigned j = num_layers_ - 1; j >= 1; --j) {
        const bool from_leaves = is_above_leaves(j);
        const std::size_t half = std::size_t{1} << (j - 1);  // cells of either parity in layer j
        FractionLayer& out = layers_[j];
        const GkrTables in = children_of(j);
        const std::size_t stored = num_stored((in.size + 1) / 2, half);
        out = {ExtTable(stored), ExtTable(stored), ExtTable(stored), ExtTable(stored), in.padding_q.square()};
        if (half < kLaneAlignment) {
            const auto p_at = [&](const std::uint32_t* p, std::size_t i) {
                Fp4 value(Fp::from_montgomery(p[i]));
                for (unsigned c = 1; c < 4 && !from_leaves; ++c) value.c[c] = Fp::from_montgomery(p[c * in.stride + i]);
                return value;
            };
            const auto q_at = [&](const std::uint32_t* q, std::size_t i) {
                Fp4 value;
                for (unsigned c = 0; c < 4; ++c) value.c[c] = Fp::from_montgomery(q[c * in.stride + i]);
                return value;
            };
            for (std::size_t i = 0; i < 2 * half; ++i) {
                const Fp4 q0 = q_at(in.q0, i), q1 = q_at(in.q1, i);
                (i % 2 == 0 ? out.p_even : out.p_odd).set(i / 2, p_at(in.p0, i) * q1 + p_at(in.p1, i) * q0);
                (i % 2 == 0 ? out.q_even : out.q_odd).set(i / 2, q0 * q1);
            }
            continue;
        }
        const GkrOutTables to{out.p_even.data(), out.p_odd.data(), out.q_even.data(), out.q_odd.data(),
                              out.q_even.stride()};
        // Whole blocks of cells below make whole vectors here.
        parallel_chunks(in.size / 2, kGrain, [&](std::size_t begin, std::size_t end) {
            HWY_DYNAMIC_DISPATCH(TreeLayer)(from_leaves, in, to, begin, end);
        });
        for (ExtTable* p : {&out.p_even, &out.p_odd}) p->fill_from(in.size / 2, Fp4());
        for (ExtTable* q : {&out.q_even, &out.q_odd}) q->fill_from(in.size / 2, out.padding_q);
    }
}

GkrTables FractionTree::children_of(unsigned layer) const {
    if (is_above_leaves(layer)) {
        return {leaf_p_even_.data(),   leaf_p_odd_.data(),  leaf_q_even_.data(), leaf_q_odd_.data(),
                leaf_q_even_.stride(), leaf_q_even_.size(), leaf_padding_q_};
    }
    const FractionLayer& l = layers_[layer + 1];
    return {l.p_even.data(),   l.p_odd.data(),  l.q_even.data(), l.q_odd.data(),
            l.q_even.stride(), l.q_even.size(), l.padding_q};
}

GkrLayerClaims FractionTree::root_claims() const {
    if (num_layers_ == 1) {
        return {Fp4(Fp::from_montgomery(leaf_p_even_.data()[0])), Fp4(Fp::from_montgomery(leaf_p_odd_.data()[0])),
                leaf_q_even_.at(0), leaf_q_odd_.at(0)};
    }
    const FractionLayer& top = layers_[1];
    return {top.p_even.at(0), top.p_odd.at(0), top.q_even.at(0), top.q_odd.at(0)};
}

Fp4 FractionTree::root() const {
    const GkrLayerClaims claims = root_claims();
    return claims.q_xi_0 * claims.q_xi_1;
}

void FractionTree::begin_layer(unsigned layer, const Fp4& lambda, std::span<const Fp4> point,
                               const GkrLayerClaims& above, const Fp4& mu) {
    layer_ = layer;
    half_lambda_ = lambda * Fp::half();
    padding_q_ = children_of(layer).padding_q;
    rounds_.begin(lambda, point, above, mu);
    eq_ = eq_table(rounds_.later_point(), Fp4::one());
}

std::array<Fp4, 3> FractionTree::round_message() {
    const bool is_first = rounds_.round() == 0;
    const bool is_leaves = is_above_leaves(layer_);
    const std::size_t pairs = std::size_t{1} << (layer_ - rounds_.round() - 1);
    const GkrTables tables =
        is_first ? children_of(layer_)
                 : GkrTables{p0_.data(), p1_.data(), q0_.data(), q1_.data(), q0_.stride(), q0_.size(), padding_q_};
    GkrSums sums;
    if (pairs < kLaneAlignment) {
        const auto at = [&](const std::uint32_t* table, std::size_t i, bool is_base) {
            Fp4 value(Fp::from_montgomery(table[i]));
            for (unsigned c = 1; c < 4 && !is_base; ++c) value.c[c] = Fp::from_montgomery(table[c * tables.stride + i]);
            return value;
        };
        const bool base = is_first && is_leaves;
        for (std::size_t i = 0; i < pairs; ++i) {
            const Fp4 e = eq_.at(i);
            const Fp4 p0 = at(tables.p0, 2 * i + 1, base), p1 = at(tables.p1, 2 * i + 1, base);
            const Fp4 q0 = at(tables.q0, 2 * i + 1, false), q1 = at(tables.q1, 2 * i + 1, false);
            const Fp4 dp0 = p0 - at(tables.p0, 2 * i, base), dp1 = p1 - at(tables.p1, 2 * i, base);
            const Fp4 dq0 = q0 - at(tables.q0, 2 * i, false), dq1 = q1 - at(tables.q1, 2 * i, false);
            sums += {e * (p0 * q1 + p1 * q0), e * q0 * q1, e * (dp0 * dq1 + dp1 * dq0), e * dq0 * dq1};
        }
    } else {
        const std::size_t num_stored_pairs = tables.size / 2;
        sums = parallel_sum<GkrSums>(num_stored_pairs, kGrain, [&](std::size_t begin, std::size_t end) {
            GkrSums part;
            HWY_DYNAMIC_DISPATCH(Message)
            (is_first && is_leaves, is_first, tables, eq_.data(), eq_.stride(), begin, end, &part);
            return part;
        });
        // Padding is the same in each pair: p = 0, and nothing is left of differences. After the first round P = λ/2·q.
        const Fp4 padding_qq =
            (Fp4::one() - eq_prefix_sum(rounds_.later_point(), num_stored_pairs)) * padding_q_.square();
        if (is_first) {
            sums.qq_at_1 += padding_qq;
        } else {
            sums.pq_at_1 += (half_lambda_ + half_lambda_) * padding_qq;
        }
    }
    if (is_first) {
        const Fp4 lambda = half_lambda_ + half_lambda_;
        sums.pq_at_1 += lambda * sums.qq_at_1;
        sums.pq_leading += lambda * sums.qq_leading;
    }
    return rounds_.message(sums.pq_at_1, sums.pq_leading);
}

void FractionTree::fold(const Fp4& r) {
    const std::size_t half = std::size_t{1} << (layer_ - rounds_.round() - 1);
    const Fp4 padding_p = half_lambda_ * padding_q_;
    if (rounds_.round() != 0) {
        const std::size_t stored = num_stored((q0_.size() + 1) / 2, half);
        p0_ = fold_pairs(p0_, r, stored, padding_p);
        p1_ = fold_pairs(p1_, r, stored, padding_p);
        q0_ = fold_pairs(q0_, r, stored, padding_q_);
        q1_ = fold_pairs(q1_, r, stored, padding_q_);
    } else {
        const bool is_leaves = is_above_leaves(layer_);
        const GkrTables in = children_of(layer_);
        const std::size_t stored = num_stored((in.size + 1) / 2, half);
        p0_ = ExtTable(stored);
        p1_ = ExtTable(stored);
        q0_ = ExtTable(stored);
        q1_ = ExtTable(stored);
        if (half < kLaneAlignment) {
            const auto fold_at = [&](const std::uint32_t* table, std::size_t i, bool is_base) {
                Fp4 a, b;
                for (unsigned c = 0; c < (is_base ? 1u : 4u); ++c) {
                    a.c[c] = Fp::from_montgomery(table[c * in.stride + 2 * i]);
                    b.c[c] = Fp::from_montgomery(table[c * in.stride + 2 * i + 1]);
                }
                return a + (b - a) * r;
            };
            for (std::size_t i = 0; i < half; ++i) {
                const Fp4 q0 = fold_at(in.q0, i, false), q1 = fold_at(in.q1, i, false);
                q0_.set(i, q0);
                q1_.set(i, q1);
                p0_.set(i, fold_at(in.p0, i, is_leaves) + half_lambda_ * q0);
                p1_.set(i, fold_at(in.p1, i, is_leaves) + half_lambda_ * q1);
            }
        } else {
            const GkrOutTables out{p0_.data(), p1_.data(), q0_.data(), q1_.data(), q0_.stride()};
            parallel_chunks(in.size / 2, kGrain, [&](std::size_t begin, std::size_t end) {
                HWY_DYNAMIC_DISPATCH(FirstFold)(is_leaves, in, out, begin, end, r, half_lambda_);
            });
            for (ExtTable* p : {&p0_, &p1_}) p->fill_from(in.size / 2, padding_p);
            for (ExtTable* q : {&q0_, &q1_}) q->fill_from(in.size / 2, padding_q_);
        }
        // The layer itself is not read again.
        if (is_leaves) {
            leaf_p_even_ = {};
            leaf_p_odd_ = {};
            leaf_q_even_ = {};
            leaf_q_odd_ = {};
        } else {
            layers_[layer_ + 1] = {};
        }
    }
    rounds_.fold(r);
    if (rounds_.round() < layer_) eq_ = sum_pairs(eq_);
}

GkrLayerClaims FractionTree::layer_claims() {
    const Fp4 q0 = q0_.at(0), q1 = q1_.at(0);
    return {p0_.at(0) - half_lambda_ * q0, p1_.at(0) - half_lambda_ * q1, q0, q1};
}

}  // namespace whorl::cpu
#endif
