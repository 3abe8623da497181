#include "backend/cpu/whir.hpp"

#include <algorithm>
#include <map>

#include "backend/cpu/columns.hpp"
#include "backend/cpu/parallel.hpp"
#include "backend/cpu/tile.hpp"
#include "backend/cpu/vector_ops.hpp"
#include "field/simd.hpp"
#include "poly/prismalinear.hpp"
#include "transforms/ntt.hpp"

namespace whorl::cpu {
namespace {

// Σ_c μ^c·(stacked column c).
ExtTable combine_stacked_columns(const ProverInput& input, const Fp4& mu) {
    const SystemParams& params = input.params();
    const unsigned l = params.l_skip;
    ExtTable out(std::size_t{1} << params.log_stacked_height());
    out.fill_zero();
    const std::vector<Fp4> mu_powers = powers(mu, input.layout.total_stacked_width());
    struct Slices {
        std::vector<const std::uint32_t*> words;
        std::vector<Fp4> weights;
    };
    std::map<std::pair<std::uint32_t, std::uint32_t>, Slices> by_place;  // (row, log_height)
    std::size_t first_column = 0;
    for (const CommitmentLayout& commitment : input.layout.commitments) {
        for (const StackedSlice& slice : commitment.stack.slices) {
            Slices& s = by_place[{slice.row, slice.log_height}];
            s.words.push_back(column_words(input.part(commitment.parts[slice.matrix]), slice.column));
            s.weights.push_back(mu_powers[first_column + slice.stacked_column]);
        }
        first_column += commitment.stack.width;
    }
    for (const auto& [place, slices] : by_place) {
        const auto [row, log_height] = place;
        const std::size_t height = std::size_t{1} << log_height;
        if (log_height >= l) {
            add_linear_combination(slices.words, slices.weights, out.data() + row, out.stride(), height);
            continue;
        }
        for (std::size_t i = 0; i < height; ++i) {
            const std::size_t at = row + (i << (l - log_height));
            Fp4 sum = out.at(at);
            for (std::size_t s = 0; s < slices.words.size(); ++s) {
                sum += slices.weights[s] * Fp::from_montgomery(slices.words[s][i]);
            }
            out.set(at, sum);
        }
    }
    return out;
}

}  // namespace

WhirProver::WhirProver(const ProverInput& input, std::span<const StackedCommitment* const> commitments,
                       std::span<const Fp4> u, const Fp4& mu)
    : input_(input), commitments_(commitments) {
    const unsigned l = input.params().l_skip;
    f_ = combine_stacked_columns(input, mu);
    const SkipDomain domain(l);
    for (unsigned c = 0; c < 4; ++c) {
        std::uint32_t* plane = f_.data() + c * f_.stride();
        parallel_chunks(f_.size() >> l, 1024, [&](std::size_t begin, std::size_t end) {
            domain.to_message(plane + (begin << l), end - begin);
        });
    }
    std::vector<Fp4> point = squarings(u[0], l);
    point.insert(point.end(), u.begin() + 1, u.end());
    w_ = eq_table(point, Fp4::one());
}

std::array<Fp4, 2> WhirProver::round_message() {
    const QuadraticMessage message = coefficient_message(f_, w_);
    return {message.at_1, message.at_2};
}

void WhirProver::fold(const Fp4& alpha) {
    f_ = fold_coefficients(f_, alpha);
    w_ = fold_dual(w_, alpha);
}

Digest WhirProver::commit_codeword() {
    const SystemParams& params = input_.params();
    const unsigned log_rows = params.log_codeword_height() - round_ - 1;
    const unsigned log_n = params.log_stacked_height() - params.whir.k * (round_ + 1);
    const std::size_t rows = std::size_t{1} << log_rows;
    const std::size_t stride = padded_size(rows);
    WordBuffer words(4 * stride);
    {
        const Span span(input_.telemetry, "whir_dft");
        for (unsigned c = 0; c < 4; ++c) {
            std::uint32_t* plane = words.data() + c * stride;
            std::copy_n(f_.data() + c * f_.stride(), f_.size(), plane + rows - f_.size());
            reed_solomon_encode(plane, log_n, log_rows - log_n);
        }
    }
    codewords_.emplace_back(std::move(words), 4, stride, log_rows, params.whir.k, input_.telemetry);
    return codewords_.back().root();
}

Fp4 WhirProver::ood_value(const Fp4& z0) {
    ood_points_.push_back(z0);
    return dot(f_, power_table(z0, Fp4::one(), f_.size()));
}

void WhirProver::bind_queries(std::span<const std::uint32_t> indices, const Fp4& gamma) {
    const SystemParams& params = input_.params();
    const unsigned log_domain = params.log_codeword_height() - round_;
    ++round_;
    // The last round's queries are left to the verifier's final check.
    if (round_ == params.whir.num_rounds()) return;
    const ExtTable ood = power_table(ood_points_.back(), gamma, w_.size());
    add_tables(w_, ood);
    std::vector<Fp> points;
    std::vector<Fp4> weights;
    Fp4 weight = gamma.square();
    const Fp generator = two_adic_generator(log_domain - params.whir.k);
    for (const std::uint32_t index : indices) {
        points.push_back(generator.pow(index));
        weights.push_back(weight);
        weight *= gamma;
    }
    add_point_powers(w_, points, weights);
}

std::vector<Fp4> WhirProver::final_poly() const {
    std::vector<Fp4> out(f_.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = f_.at(i);
    return out;
}

void WhirProver::open_initial(std::span<const std::uint32_t> indices, WhirProof& proof) const {
    for (const StackedCommitment* commitment : commitments_) {
        proof.initial_round_opened_rows.push_back(commitment->rows_of(indices, input_.telemetry));
        auto& paths = proof.initial_round_merkle_proofs.emplace_back();
        for (const std::uint32_t leaf : indices) paths.push_back(commitment->path(leaf));
    }
}

void WhirProver::open_codeword(std::span<const std::uint32_t> indices, WhirProof& proof) const {
    const std::size_t rows = std::size_t{1} << input_.params().whir.k;
    const CodeMatrix& codeword = codewords_[round_ - 1];
    auto& opened = proof.codeword_opened_values.emplace_back();
    auto& paths = proof.codeword_merkle_proofs.emplace_back();
    for (const std::uint32_t leaf : indices) {
        auto& values = opened.emplace_back();
        for (std::size_t j = 0; j < rows; ++j) {
            const std::vector<Fp> row = codeword.leaf_row(leaf, j);
            values.emplace_back(row[0], row[1], row[2], row[3]);
        }
        paths.push_back(codeword.path(leaf));
    }
}

}  // namespace whorl::cpu
