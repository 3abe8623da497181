// Operations on long tables of extension elements and on base-field columns, on all threads of the calling TBB arena.
// Sums in F are exact, so results do not depend on how work is split.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <whorl/field.hpp>

#include "backend/cpu/buffer.hpp"

namespace whorl::cpu {

/// scale·eq(xs, ·): 2^xs.size() elements.
ExtTable eq_table(std::span<const Fp4> xs, const Fp4& scale);
/// out[j + first.size()·i] = first[j]·eq(xs, i); first.size() is a power of two.
ExtTable eq_table_over(std::span<const Fp4> first, std::span<const Fp4> xs);
/// scale, scale·x, …, scale·x^(n−1).
ExtTable power_table(const Fp4& x, const Fp4& scale, std::size_t n);

/// out[i] = in[2i] + in[2i + 1]: an eq table without its first variable.
ExtTable sum_pairs(const ExtTable& in);
/// out[i] = in[2i] + r·(in[2i + 1] − in[2i]).
ExtTable fold_pairs(const ExtTable& in, const Fp4& r);
/// The same with `size` elements, at least in.size() / 2; those after them are `padding`.
ExtTable fold_pairs(const ExtTable& in, const Fp4& r, std::size_t size, const Fp4& padding);
/// out[i] = in[2i] + r·in[2i + 1]: folding coefficients.
ExtTable fold_coefficients(const ExtTable& in, const Fp4& r);
/// out[i] = (in[2i] − in[2i + 1])·(1 − r) + in[2i + 1]·r: folding the dual of coefficients (in[2i] holds w(0) + w(1)).
ExtTable fold_dual(const ExtTable& in, const Fp4& r);

/// table[i] += other[i].
void add_tables(ExtTable& table, const ExtTable& other);

/// out[z] = Σ_x weights[x]·table[x·num_rows + z] for z < num_rows, a power of two.
std::vector<Fp4> sum_blocks(const ExtTable& table, const ExtTable& weights, std::size_t num_rows);

/// Σ_i a[i]·b[i].
Fp4 dot(const ExtTable& a, const ExtTable& b);

/// s(1) and s(2), s(X) = Σ_i a(X, i)·b(X, i), the first variable being bit 0 of the index.
struct QuadraticMessage {
    Fp4 at_1, at_2;
};
QuadraticMessage quadratic_message(const ExtTable& a, const ExtTable& b);
/// The same where `a` holds coefficients and `b` their dual.
QuadraticMessage coefficient_message(const ExtTable& a, const ExtTable& b);

/// out[row] += Σ_c coefficients[c]·columns[c][row] for the rows of `out`.
void add_linear_combination(std::span<const std::uint32_t* const> columns, std::span<const Fp4> coefficients,
                            std::uint32_t* out, std::size_t stride, std::size_t num_rows);
/// Two combinations of the same columns in one pass.
void add_two_linear_combinations(std::span<const std::uint32_t* const> columns, std::span<const Fp4> coefficients_a,
                                 std::span<const Fp4> coefficients_b, std::uint32_t* out_a, std::uint32_t* out_b,
                                 std::size_t stride, std::size_t num_rows);
/// out[c] = Σ_row weights[row]·columns[c][row].
void dot_columns(std::span<const std::uint32_t* const> columns, const ExtTable& weights, std::span<Fp4> out);

/// table[j] += Σ_q coefficients[q]·points[q]^j.
void add_point_powers(ExtTable& table, std::span<const Fp> points, std::span<const Fp4> coefficients);

}  // namespace whorl::cpu
