#include "backend/cpu/vector_ops.hpp"

#include "field/simd.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/vector_ops.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target comes first
#include <hwy/highway.h>
#include "field/packed-inl.hpp"
// clang-format on

#include <algorithm>
#include <array>
#include <bit>

#include "backend/cpu/parallel.hpp"

#ifndef WHORL_VECTOR_OPS_TYPES_
#define WHORL_VECTOR_OPS_TYPES_
namespace whorl {
namespace {

// How a pair (even, odd) of table entries is folded at r.
enum class PairFold : std::uint8_t { kSum, kEvals, kCoefficients, kDual };

}  // namespace
}  // namespace whorl
#endif

HWY_BEFORE_NAMESPACE();
namespace whorl {
namespace HWY_NAMESPACE {
namespace {

// upper[i] = lower[i]·x; lower[i] −= upper[i], for i in [begin, end).
void EqDouble(std::uint32_t* table, std::size_t stride, std::size_t half, std::size_t begin, std::size_t end,
              const Fp4& x) {
    const V4 xv = broadcast4(x);
    for (std::size_t i = begin; i < end; i += num_lanes()) {
        const V4 low = load4(table + i, stride);
        const V4 high = mul4(low, xv);
        store4(high, table + half + i, stride);
        store4(sub4(low, high), table + i, stride);
    }
}

// table[i] = first16[i mod 16]·step^(i / 16) for i in [begin, end), begin a multiple of 16; `start` is step^(begin / 16).
void PowerFill(std::uint32_t* table, std::size_t stride, std::size_t begin, std::size_t end,
               const std::uint32_t* first16, const Fp4& start, const Fp4& step) {
    const V4 step_v = broadcast4(step);
    for (std::size_t j = 0; j < 16; j += num_lanes()) {
        V4 power = mul4(load4(first16 + j, 16), broadcast4(start));
        for (std::size_t i = begin + j; i < end; i += 16) {
            store4(power, table + i, stride);
            power = mul4(power, step_v);
        }
    }
}

template <PairFold kFold>
HWY_INLINE V4 fold_pair(const V4Pair& p, const V4& r) {
    if constexpr (kFold == PairFold::kSum) return add4(p.even, p.odd);
    if constexpr (kFold == PairFold::kEvals) return add4(p.even, mul4(sub4(p.odd, p.even), r));
    if constexpr (kFold == PairFold::kCoefficients) return add4(p.even, mul4(p.odd, r));
    // w(0) = even − odd, w(1) = odd.
    const V4 at_0 = sub4(p.even, p.odd);
    return add4(at_0, mul4(sub4(p.odd, at_0), r));
}

template <PairFold kFold>
void FoldPairsAs(const std::uint32_t* in, std::size_t in_stride, std::uint32_t* out, std::size_t out_stride,
                 std::size_t begin, std::size_t end, const Fp4& r) {
    const V4 rv = broadcast4(r);
    for (std::size_t i = begin; i < end; i += num_lanes()) {
        store4(fold_pair<kFold>(load4_pairs(in + 2 * i, in_stride), rv), out + i, out_stride);
    }
}

void FoldPairs(PairFold fold, const std::uint32_t* in, std::size_t in_stride, std::uint32_t* out,
               std::size_t out_stride, std::size_t begin, std::size_t end, const Fp4& r) {
    switch (fold) {
        case PairFold::kSum:
            return FoldPairsAs<PairFold::kSum>(in, in_stride, out, out_stride, begin, end, r);
        case PairFold::kEvals:
            return FoldPairsAs<PairFold::kEvals>(in, in_stride, out, out_stride, begin, end, r);
        case PairFold::kCoefficients:
            return FoldPairsAs<PairFold::kCoefficients>(in, in_stride, out, out_stride, begin, end, r);
        case PairFold::kDual:
            return FoldPairsAs<PairFold::kDual>(in, in_stride, out, out_stride, begin, end, r);
    }
}

Fp4 Dot(const std::uint32_t* a, const std::uint32_t* b, std::size_t a_stride, std::size_t b_stride, std::size_t begin,
        std::size_t end) {
    V4 acc = zero4();
    for (std::size_t i = begin; i < end; i += num_lanes()) {
        acc = add4(acc, mul4(load4(a + i, a_stride), load4(b + i, b_stride)));
    }
    return sum_lanes4(acc);
}

void Quadratic(const std::uint32_t* a, const std::uint32_t* b, std::size_t stride, std::size_t begin, std::size_t end,
               bool is_coefficients, Fp4* out) {
    V4 at_1 = zero4(), at_2 = zero4();
    for (std::size_t i = begin; i < end; i += num_lanes()) {
        V4Pair p = load4_pairs(a + 2 * i, stride);
        V4Pair q = load4_pairs(b + 2 * i, stride);
        if (is_coefficients) {
            p.odd = add4(p.even, p.odd);
            q.even = sub4(q.even, q.odd);
        }
        at_1 = add4(at_1, mul4(p.odd, q.odd));
        const V4 p2 = sub4(add4(p.odd, p.odd), p.even);
        const V4 q2 = sub4(add4(q.odd, q.odd), q.even);
        at_2 = add4(at_2, mul4(p2, q2));
    }
    out[0] = sum_lanes4(at_1);
    out[1] = sum_lanes4(at_2);
}

HWY_INLINE void mac_column(Wide* acc, const std::uint32_t* column, std::size_t row, const Fp4& k, bool fold) {
    const V v = load(column + row);
    const V v_odd = odd_lanes(v);
    for (unsigned c = 0; c < 4; ++c) {
        const V w = broadcast(k.c[c]);
        wide_mul_add(acc[c], v, v_odd, w, w);
        if (fold) fold_high(acc[c]);
    }
}

HWY_INLINE void clear(Wide* acc) {
    for (unsigned c = 0; c < 4; ++c) acc[c] = {hn::Zero(D64()), hn::Zero(D64())};
}

// Columns in one pass over the accumulators: few enough that their streams prefetch well.
constexpr std::size_t kColumnsAtOnce = 16;

void LinearCombination(const std::uint32_t* const* columns, const Fp4* coefficients, std::size_t num_columns,
                       std::uint32_t* out, std::size_t stride, std::size_t begin, std::size_t end) {
    for (std::size_t c0 = 0; c0 < num_columns; c0 += kColumnsAtOnce) {
        const std::size_t c1 = std::min(num_columns, c0 + kColumnsAtOnce);
        for (std::size_t row = begin; row < end; row += num_lanes()) {
            Wide acc[4];
            clear(acc);
            for (std::size_t c = c0; c < c1; ++c) mac_column(acc, columns[c], row, coefficients[c], c % 2 == 1);
            const V4 sum{wide_reduce(acc[0]), wide_reduce(acc[1]), wide_reduce(acc[2]), wide_reduce(acc[3])};
            store4(add4(load4(out + row, stride), sum), out + row, stride);
        }
    }
}

void TwoLinearCombinations(const std::uint32_t* const* columns, const Fp4* ka, const Fp4* kb, std::size_t num_columns,
                           std::uint32_t* out_a, std::uint32_t* out_b, std::size_t stride, std::size_t begin,
                           std::size_t end) {
    for (std::size_t c0 = 0; c0 < num_columns; c0 += kColumnsAtOnce) {
        const std::size_t c1 = std::min(num_columns, c0 + kColumnsAtOnce);
        for (std::size_t row = begin; row < end; row += num_lanes()) {
            Wide acc[8];
            clear(acc);
            clear(acc + 4);
            for (std::size_t c = c0; c < c1; ++c) {
                mac_column(acc, columns[c], row, ka[c], c % 2 == 1);
                mac_column(acc + 4, columns[c], row, kb[c], c % 2 == 1);
            }
            const V4 a{wide_reduce(acc[0]), wide_reduce(acc[1]), wide_reduce(acc[2]), wide_reduce(acc[3])};
            const V4 b{wide_reduce(acc[4]), wide_reduce(acc[5]), wide_reduce(acc[6]), wide_reduce(acc[7])};
            store4(add4(load4(out_a + row, stride), a), out_a + row, stride);
            store4(add4(load4(out_b + row, stride), b), out_b + row, stride);
        }
    }
}

// Σ over whole vectors of rows; weights are zero in their padding, columns need `end` rounded up to whole vectors readable.
Fp4 DotColumn(const std::uint32_t* column, const std::uint32_t* weights, std::size_t stride, std::size_t end) {
    Wide acc[4];
    clear(acc);
    bool fold = false;
    for (std::size_t row = 0; row < end; row += num_lanes(), fold = !fold) {
        const V v = load(column + row);
        const V v_odd = odd_lanes(v);
        for (unsigned c = 0; c < 4; ++c) {
            const V w = load(weights + c * stride + row);
            wide_mul_add(acc[c], v, v_odd, w, odd_lanes(w));
            if (fold) fold_high(acc[c]);
        }
    }
    return sum_lanes4({wide_reduce(acc[0]), wide_reduce(acc[1]), wide_reduce(acc[2]), wide_reduce(acc[3])});
}

// powers: [num_points][16], points[q]^(begin + lane); steps[q] = points[q]^lanes.
void PointPowers(std::uint32_t* table, std::size_t stride, std::size_t begin, std::size_t end, std::uint32_t* powers,
                 const std::uint32_t* steps, const Fp4* coefficients, std::size_t num_points) {
    for (std::size_t i = begin; i < end; i += num_lanes()) {
        Wide acc[4];
        clear(acc);
        for (std::size_t q = 0; q < num_points; ++q) {
            std::uint32_t* p = powers + q * 16;
            mac_column(acc, p, 0, coefficients[q], q % 2 == 1);
            store(mul(load(p), broadcast_word(steps[q])), p);
        }
        const V4 sum{wide_reduce(acc[0]), wide_reduce(acc[1]), wide_reduce(acc[2]), wide_reduce(acc[3])};
        store4(add4(load4(table + i, stride), sum), table + i, stride);
    }
}

void AddTables(std::uint32_t* table, const std::uint32_t* other, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; i += num_lanes()) store(add(load(table + i), load(other + i)), table + i);
}

// out[i] += Σ over steps s in [begin, end) of table[s·width + i]·weights[(s·width + i) / num_rows].
void SumBlocks(const std::uint32_t* table, std::size_t stride, const std::uint32_t* weights, std::size_t weight_stride,
               std::size_t num_rows, std::size_t width, std::size_t begin, std::size_t end, Fp4* out) {
    alignas(64) std::uint32_t expanded[64];
    for (std::size_t i = 0; i < width; i += num_lanes()) {
        V4 acc = zero4();
        for (std::size_t s = begin; s < end; ++s) {
            V4 w;
            if (num_rows >= num_lanes()) {
                const std::size_t x = (s * width + i) / num_rows;
                w = {broadcast_word(weights[x]), broadcast_word(weights[weight_stride + x]),
                     broadcast_word(weights[2 * weight_stride + x]), broadcast_word(weights[3 * weight_stride + x])};
            } else {
                for (unsigned c = 0; c < 4; ++c) {
                    for (std::size_t lane = 0; lane < num_lanes(); ++lane) {
                        expanded[c * 16 + lane] = weights[c * weight_stride + (s * width + i + lane) / num_rows];
                    }
                }
                w = load4(expanded, 16);
            }
            acc = add4(acc, mul4(load4(table + s * width + i, stride), w));
        }
        alignas(64) std::uint32_t words[64];
        store4(acc, words, 16);
        for (std::size_t lane = 0; lane < num_lanes(); ++lane) {
            for (unsigned c = 0; c < 4; ++c) out[i + lane].c[c] += Fp::from_montgomery(words[c * 16 + lane]);
        }
    }
}

std::size_t LaneCount() {
    return num_lanes();
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whorl
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl {
HWY_EXPORT(EqDouble);
HWY_EXPORT(PowerFill);
HWY_EXPORT(FoldPairs);
HWY_EXPORT(Dot);
HWY_EXPORT(Quadratic);
HWY_EXPORT(LinearCombination);
HWY_EXPORT(TwoLinearCombinations);
HWY_EXPORT(DotColumn);
HWY_EXPORT(PointPowers);
HWY_EXPORT(SumBlocks);
HWY_EXPORT(AddTables);
HWY_EXPORT(LaneCount);
}  // namespace whorl

namespace whorl::cpu {
namespace {

// Elements a task works on: large against the cost of starting it.
constexpr std::size_t kGrain = 4096;

// out[i] for i < in.size() / 2.
void fold(const ExtTable& in, PairFold how, const Fp4& r, ExtTable& out) {
    const std::size_t num_pairs = in.size() / 2;
    // The last vectors of a short table read its padding and write their own.
    parallel_chunks(num_pairs, kGrain, [&](std::size_t begin, std::size_t end) {
        if (num_pairs < kLaneAlignment) {
            for (std::size_t i = begin; i < end; ++i) {
                const Fp4 a = in.at(2 * i), b = in.at(2 * i + 1);
                switch (how) {
                    case PairFold::kSum:
                        out.set(i, a + b);
                        break;
                    case PairFold::kEvals:
                        out.set(i, a + (b - a) * r);
                        break;
                    case PairFold::kCoefficients:
                        out.set(i, a + b * r);
                        break;
                    case PairFold::kDual:
                        out.set(i, (a - b) + (b - (a - b)) * r);
                        break;
                }
            }
            return;
        }
        HWY_DYNAMIC_DISPATCH(FoldPairs)(how, in.data(), in.stride(), out.data(), out.stride(), begin, end, r);
    });
}

ExtTable fold(const ExtTable& in, PairFold how, const Fp4& r) {
    ExtTable out(in.size() / 2);
    fold(in, how, r, out);
    return out;
}

QuadraticMessage message(const ExtTable& a, const ExtTable& b, bool is_coefficients) {
    const std::size_t pairs = a.size() / 2;
    if (pairs < kLaneAlignment) {
        QuadraticMessage out;
        for (std::size_t i = 0; i < pairs; ++i) {
            Fp4 a0 = a.at(2 * i), a1 = a.at(2 * i + 1), b0 = b.at(2 * i);
            const Fp4 b1 = b.at(2 * i + 1);
            if (is_coefficients) {
                a1 += a0;
                b0 -= b1;
            }
            out.at_1 += a1 * b1;
            out.at_2 += (a1 + a1 - a0) * (b1 + b1 - b0);
        }
        return out;
    }
    struct Pair {
        Fp4 values[2];
        Pair& operator+=(const Pair& o) {
            values[0] += o.values[0];
            values[1] += o.values[1];
            return *this;
        }
    };
    const Pair sum = parallel_sum<Pair>(pairs, kGrain, [&](std::size_t begin, std::size_t end) {
        Pair part;
        HWY_DYNAMIC_DISPATCH(Quadratic)(a.data(), b.data(), a.stride(), begin, end, is_coefficients, part.values);
        return part;
    });
    return {sum.values[0], sum.values[1]};
}

}  // namespace

ExtTable eq_table(std::span<const Fp4> xs, const Fp4& scale) {
    return eq_table_over(std::span(&scale, 1), xs);
}

ExtTable eq_table_over(std::span<const Fp4> first, std::span<const Fp4> xs) {
    ExtTable table(first.size() << xs.size());
    for (std::size_t i = 0; i < first.size(); ++i) table.set(i, first[i]);
    for (std::size_t i = 0; i < xs.size(); ++i) {
        const std::size_t half = first.size() << i;
        if (half < kLaneAlignment) {
            for (std::size_t j = 0; j < half; ++j) {
                const Fp4 low = table.at(j), high = low * xs[i];
                table.set(half + j, high);
                table.set(j, low - high);
            }
            continue;
        }
        parallel_chunks(half, kGrain, [&](std::size_t begin, std::size_t end) {
            HWY_DYNAMIC_DISPATCH(EqDouble)(table.data(), table.stride(), half, begin, end, xs[i]);
        });
    }
    return table;
}

ExtTable power_table(const Fp4& x, const Fp4& scale, std::size_t n) {
    ExtTable table(n);
    Fp4 power = scale;
    if (n < kLaneAlignment) {
        for (std::size_t i = 0; i < n; ++i, power *= x) table.set(i, power);
        return table;
    }
    std::array<std::uint32_t, 64> first16{};
    for (std::size_t i = 0; i < 16; ++i, power *= x) {
        for (unsigned c = 0; c < 4; ++c) first16[c * 16 + i] = power.c[c].montgomery();
    }
    const Fp4 step = x.pow(16);
    parallel_chunks(n, kGrain, [&](std::size_t begin, std::size_t end) {
        HWY_DYNAMIC_DISPATCH(PowerFill)
        (table.data(), table.stride(), begin, end, first16.data(), x.pow(begin), step);
    });
    return table;
}

ExtTable sum_pairs(const ExtTable& in) {
    return fold(in, PairFold::kSum, Fp4());
}
ExtTable fold_pairs(const ExtTable& in, const Fp4& r) {
    return fold(in, PairFold::kEvals, r);
}
ExtTable fold_pairs(const ExtTable& in, const Fp4& r, std::size_t size, const Fp4& padding) {
    ExtTable out(size);
    fold(in, PairFold::kEvals, r, out);
    out.fill_from(in.size() / 2, padding);
    return out;
}
ExtTable fold_coefficients(const ExtTable& in, const Fp4& r) {
    return fold(in, PairFold::kCoefficients, r);
}
ExtTable fold_dual(const ExtTable& in, const Fp4& r) {
    return fold(in, PairFold::kDual, r);
}

void add_tables(ExtTable& table, const ExtTable& other) {
    parallel_chunks(4 * table.stride(), 4 * kGrain, [&](std::size_t begin, std::size_t end) {
        HWY_DYNAMIC_DISPATCH(AddTables)(table.data(), other.data(), begin, end);
    });
}

std::vector<Fp4> sum_blocks(const ExtTable& table, const ExtTable& weights, std::size_t num_rows) {
    const std::size_t num_blocks = table.size() / num_rows;
    // Blocks below a vector: lane i of a vector belongs to row i mod num_rows.
    const std::size_t width = std::max<std::size_t>(num_rows, kLaneAlignment);
    std::vector<Fp4> out(num_rows);
    if (table.size() < kLaneAlignment) {
        for (std::size_t i = 0; i < table.size(); ++i) out[i % num_rows] += table.at(i) * weights.at(i / num_rows);
        return out;
    }
    std::mutex mutex;
    const std::size_t blocks_per_step = width / num_rows;
    parallel_chunks(num_blocks / blocks_per_step, 256, [&](std::size_t begin, std::size_t end) {
        std::vector<Fp4> part(width);
        HWY_DYNAMIC_DISPATCH(SumBlocks)
        (table.data(), table.stride(), weights.data(), weights.stride(), num_rows, width, begin, end, part.data());
        const std::lock_guard lock(mutex);
        for (std::size_t i = 0; i < width; ++i) out[i % num_rows] += part[i];
    });
    return out;
}

Fp4 dot(const ExtTable& a, const ExtTable& b) {
    return parallel_sum<Fp4>(a.size(), kGrain, [&](std::size_t begin, std::size_t end) {
        return HWY_DYNAMIC_DISPATCH(Dot)(a.data(), b.data(), a.stride(), b.stride(), begin, end);
    });
}

QuadraticMessage quadratic_message(const ExtTable& a, const ExtTable& b) {
    return message(a, b, false);
}
QuadraticMessage coefficient_message(const ExtTable& a, const ExtTable& b) {
    return message(a, b, true);
}

void add_linear_combination(std::span<const std::uint32_t* const> columns, std::span<const Fp4> coefficients,
                            std::uint32_t* out, std::size_t stride, std::size_t num_rows) {
    if (num_rows < kLaneAlignment) {
        for (std::size_t row = 0; row < num_rows; ++row) {
            Fp4 sum;
            for (std::size_t c = 0; c < columns.size(); ++c) {
                sum += coefficients[c] * Fp::from_montgomery(columns[c][row]);
            }
            for (unsigned c = 0; c < 4; ++c) {
                std::uint32_t& word = out[c * stride + row];
                word = (Fp::from_montgomery(word) + sum.c[c]).montgomery();
            }
        }
        return;
    }
    parallel_chunks(num_rows, 1024, [&](std::size_t begin, std::size_t end) {
        HWY_DYNAMIC_DISPATCH(LinearCombination)
        (columns.data(), coefficients.data(), columns.size(), out, stride, begin, end);
    });
}

void add_two_linear_combinations(std::span<const std::uint32_t* const> columns, std::span<const Fp4> coefficients_a,
                                 std::span<const Fp4> coefficients_b, std::uint32_t* out_a, std::uint32_t* out_b,
                                 std::size_t stride, std::size_t num_rows) {
    if (num_rows < kLaneAlignment) {
        add_linear_combination(columns, coefficients_a, out_a, stride, num_rows);
        add_linear_combination(columns, coefficients_b, out_b, stride, num_rows);
        return;
    }
    parallel_chunks(num_rows, 1024, [&](std::size_t begin, std::size_t end) {
        HWY_DYNAMIC_DISPATCH(TwoLinearCombinations)
        (columns.data(), coefficients_a.data(), coefficients_b.data(), columns.size(), out_a, out_b, stride, begin,
         end);
    });
}

void dot_columns(std::span<const std::uint32_t* const> columns, const ExtTable& weights, std::span<Fp4> out) {
    if (weights.size() < kLaneAlignment) {
        for (std::size_t c = 0; c < columns.size(); ++c) {
            out[c] = Fp4();
            for (std::size_t row = 0; row < weights.size(); ++row) {
                out[c] += weights.at(row) * Fp::from_montgomery(columns[c][row]);
            }
        }
        return;
    }
    for_each_index(std::size_t{0}, columns.size(), [&](std::size_t c) {
        out[c] = HWY_DYNAMIC_DISPATCH(DotColumn)(columns[c], weights.data(), weights.stride(), weights.size());
    });
}

void add_point_powers(ExtTable& table, std::span<const Fp> points, std::span<const Fp4> coefficients) {
    const std::size_t lanes = HWY_DYNAMIC_DISPATCH(LaneCount)();
    std::vector<std::uint32_t> steps;
    for (const Fp x : points) steps.push_back(x.pow(lanes).montgomery());
    parallel_chunks(table.size(), kGrain, [&](std::size_t begin, std::size_t end) {
        if (end - begin < kLaneAlignment) {
            for (std::size_t i = begin; i < end; ++i) {
                Fp4 sum = table.at(i);
                for (std::size_t q = 0; q < points.size(); ++q) sum += coefficients[q] * points[q].pow(i);
                table.set(i, sum);
            }
            return;
        }
        std::vector<std::uint32_t> powers(points.size() * 16);
        for (std::size_t q = 0; q < points.size(); ++q) {
            Fp power = points[q].pow(begin);
            for (std::size_t i = 0; i < 16; ++i, power *= points[q]) powers[q * 16 + i] = power.montgomery();
        }
        HWY_DYNAMIC_DISPATCH(PointPowers)
        (table.data(), table.stride(), begin, end, powers.data(), steps.data(), coefficients.data(), points.size());
    });
}

}  // namespace whorl::cpu
#endif
