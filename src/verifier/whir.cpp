#include "verifier/whir.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "poly/prismalinear.hpp"
#include "verifier/interpolation.hpp"
#include "verifier/merkle.hpp"
#include "verifier/threads.hpp"

namespace whorl::verifier {
namespace {

using Kind = VerifyErrorKind;

// Commitment 0 and then every part that is committed to alone, in layout order.
std::vector<Digest> commitments(const Context& context) {
    std::vector<Digest> out;
    for (const CommitmentLayout& commitment : context.layout.commitments) {
        const PartRef& part = commitment.parts.front();
        switch (part.kind) {
            case PartRef::Kind::kCommonMain:
                out.push_back(context.proof.common_main_commit);
                break;
            case PartRef::Kind::kPreprocessed:
                out.push_back(context.air(part.trace).preprocessed->commit);
                break;
            case PartRef::Kind::kCachedMain: {
                const std::uint32_t air_id = context.layout.traces[part.trace].air_id;
                out.push_back(context.proof.trace_vdata[air_id]->cached_commitments[part.cached]);
                break;
            }
        }
    }
    return out;
}

// The queries of one round: query q opens the leaf at x_q = ω^index, ω of order 2^log_domain, and so constrains the
// folded polynomial at z_q = x_q^(2^k).
struct Queries {
    std::vector<std::uint32_t> indices;
    std::vector<Fp> x_inverse;
    std::vector<Fp> z;
};
Queries sample_queries(Transcript& transcript, std::uint32_t count, unsigned log_domain, unsigned k) {
    Queries queries;
    const Fp omega = two_adic_generator(log_domain);
    const std::uint64_t order = std::uint64_t{1} << log_domain;
    for (std::uint32_t q = 0; q < count; ++q) {
        const std::uint32_t index = transcript.sample_bits(log_domain - k);
        queries.indices.push_back(index);
        queries.x_inverse.push_back(omega.pow(order - index));
        queries.z.push_back(omega.pow(std::uint64_t{index} << k));
    }
    return queries;
}

// Folds the 2^k values of a leaf by the round's challenges: v'_t = v_t + (a − p_t)(v_t − v_{t+m})/(2 p_t), where v_t
// is the value at p_t. Points are x·ω^t, so (a − p_t)/(2 p_t) = x^-1·(a·ω^-t/2) − 1/2 with a table per round.
class LeafFold {
public:
    explicit LeafFold(std::span<const Fp4> challenges) {
        const unsigned k = static_cast<unsigned>(challenges.size());
        for (unsigned level = 0; level < k; ++level) {
            const std::size_t half = std::size_t{1} << (k - level - 1);
            const Fp omega_inverse = two_adic_generator(k - level).inverse();
            Fp4 entry = challenges[level] * Fp::half();
            std::vector<Fp4>& table = tables_.emplace_back(half);
            for (Fp4& value : table) {
                value = entry;
                entry = entry * omega_inverse;
            }
        }
    }

    /// `values` is overwritten.
    Fp4 operator()(std::span<Fp4> values, Fp x_inverse) const {
        for (const std::vector<Fp4>& table : tables_) {
            const std::size_t half = table.size();
            for (std::size_t t = 0; t < half; ++t) {
                const Fp4 slope = table[t] * x_inverse - Fp4(Fp::half());
                values[t] += slope * (values[t] - values[t + half]);
            }
            x_inverse = x_inverse.square();
        }
        return values[0];
    }

private:
    std::vector<std::vector<Fp4>> tables_;
};

// Checks the opened rows of all commitments and returns, by query, the 2^k values of Σ_c μ^c column_c.
Result<std::vector<Fp4>, VerifyError> open_initial_round(const Context& context, const Queries& queries,
                                                         const Fp4& mu) {
    const WhirProof& whir = context.proof.whir;
    const std::size_t rows_per_leaf = std::size_t{1} << context.vk.params.whir.k;
    const std::size_t num_queries = queries.indices.size();
    const std::vector<Digest> roots = commitments(context);
    // The proof holds an opening of each column, so their number fits memory.
    std::vector<Fp4> mu_powers = powers(mu, static_cast<std::size_t>(context.layout.total_stacked_width()));
    std::span<const Fp4> weights = mu_powers;
    std::vector<Fp4> values(num_queries * rows_per_leaf);
    std::vector<std::span<const Fp>> rows(num_queries * rows_per_leaf);
    for (std::size_t c = 0; c < roots.size(); ++c) {
        for (std::size_t q = 0; q < num_queries; ++q) {
            std::ranges::copy(whir.initial_round_opened_rows[c][q], rows.begin() + q * rows_per_leaf);
        }
        const auto bad = check_merkle_openings(roots[c], rows, rows_per_leaf, whir.initial_round_merkle_proofs[c],
                                               queries.indices, context.num_threads);
        if (bad) {
            return reject(Kind::kInitialMerklePath, "whir.round0",
                          fmt::format("commitment {}, query {}, leaf {}", c, bad->query, queries.indices[bad->query]),
                          roots[c], bad->root);
        }
        const std::size_t width = context.layout.commitments[c].stack.width;
        on_ranges(num_queries, context.num_threads, kQueriesOfAThread, [&](std::size_t first, std::size_t last) {
            for (std::size_t i = first * rows_per_leaf; i < last * rows_per_leaf; ++i) {
                for (std::size_t j = 0; j < width; ++j) values[i] += weights[j] * rows[i][j];
            }
        });
        weights = weights.subspan(width);
    }
    return values;
}

// Checks the opened values of codeword `round` − 1 and returns them by query.
Result<std::vector<Fp4>, VerifyError> open_codeword(const Context& context, const Queries& queries, std::size_t round) {
    const WhirProof& whir = context.proof.whir;
    const std::size_t rows_per_leaf = std::size_t{1} << context.vk.params.whir.k;
    std::vector<Fp4> values;
    for (const auto& leaf : whir.codeword_opened_values[round - 1]) {
        values.insert(values.end(), leaf.begin(), leaf.end());
    }
    std::vector<std::span<const Fp>> rows;
    for (const Fp4& value : values) rows.emplace_back(value.c);
    const Digest& root = whir.codeword_commits[round - 1];
    const auto bad = check_merkle_openings(root, rows, rows_per_leaf, whir.codeword_merkle_proofs[round - 1],
                                           queries.indices, context.num_threads);
    if (bad) {
        return reject(Kind::kCodewordMerklePath, fmt::format("whir.round{}", round),
                      fmt::format("query {}, leaf {}", bad->query, queries.indices[bad->query]), root, bad->root);
    }
    return values;
}

// What a round claimed of the polynomial after its folds.
struct RoundClaims {
    std::optional<Fp4> z0;  // absent in the last round
    std::vector<Fp> z;
    Fp4 gamma;
};

// Σ_S coeffs[S]·eq(point, bits S).
Fp4 multilinear_at(std::vector<Fp4> table, std::span<const Fp4> point) {
    for (std::size_t i = point.size(); i-- > 0;) {
        const std::size_t half = std::size_t{1} << i;
        for (std::size_t j = 0; j < half; ++j) table[j] += point[i] * (table[half + j] - table[j]);
    }
    return table[0];
}

// ∏_j eq1(challenges[j], z^(2^j)) · g(z^(2^len)).
template <class Point>
Fp4 constraint_term(std::span<const Fp4> challenges, std::span<const Fp4> final_poly, Point z) {
    Fp4 product = Fp4::one();
    for (const Fp4& a : challenges) {
        const Fp4 complement = Fp4::one() - a;
        product *= complement + (a - complement) * z;
        z = z.square();
    }
    Fp4 value;
    for (std::size_t i = final_poly.size(); i-- > 0;) value = value * z + final_poly[i];
    return product * value;
}

// What all rounds' claims come to, if the final polynomial is what was folded to.
Fp4 claim_from_final_poly(const Context& context, std::span<const Fp4> u, std::span<const Fp4> challenges,
                          std::span<const RoundClaims> rounds) {
    const SystemParams& params = context.vk.params;
    const std::vector<Fp4>& final_poly = context.proof.whir.final_poly;
    std::vector<Fp4> point = squarings(u[0], params.l_skip);
    point.insert(point.end(), u.begin() + 1, u.end());
    const std::span<const Fp4> all(point);
    Fp4 sum = mobius_eq(all.first(challenges.size()), challenges) *
              multilinear_at(final_poly, all.subspan(challenges.size()));
    for (std::size_t i = 0; i < rounds.size(); ++i) {
        const RoundClaims& round = rounds[i];
        const auto later = challenges.subspan(params.whir.k * (i + 1));
        if (round.z0) sum += round.gamma * constraint_term(later, final_poly, *round.z0);
        std::vector<Fp4> terms(round.z.size());
        on_ranges(terms.size(), context.num_threads, kQueriesOfAThread, [&](std::size_t first, std::size_t last) {
            for (std::size_t q = first; q < last; ++q) terms[q] = constraint_term(later, final_poly, round.z[q]);
        });
        Fp4 power = round.gamma.square();
        for (const Fp4& term : terms) {
            sum += power * term;
            power *= round.gamma;
        }
    }
    return sum;
}

}  // namespace

Result<void, VerifyError> verify_whir(const Context& context, Transcript& transcript, std::span<const Fp4> u) {
    const SystemParams& params = context.vk.params;
    const WhirProof& whir = context.proof.whir;
    const unsigned k = params.whir.k;
    const std::size_t num_rounds = params.whir.num_rounds();

    if (!transcript.check_witness(params.whir.mu_pow_bits, whir.mu_pow_witness)) {
        return reject(Kind::kMuProofOfWork, "whir");
    }
    const Fp4 mu = transcript.sample_ext();
    Fp4 claim;
    Fp4 mu_power = Fp4::one();
    for (const auto& openings : context.proof.stacking.stacking_openings) {
        for (const Fp4& opening : openings) {
            claim += mu_power * opening;
            mu_power *= mu;
        }
    }

    std::vector<Fp4> challenges;
    std::vector<RoundClaims> rounds;
    for (std::size_t round = 0; round < num_rounds; ++round) {
        const bool is_last = round + 1 == num_rounds;
        const unsigned log_domain = params.log_codeword_height() - static_cast<unsigned>(round);
        const auto stage = [round] { return fmt::format("whir.round{}", round); };
        for (unsigned s = 0; s < k; ++s) {
            const auto& evals = whir.sumcheck_polys[round * k + s];
            for (const Fp4& eval : evals) transcript.observe_ext(eval);
            if (!transcript.check_witness(params.whir.folding_pow_bits, whir.folding_pow_witnesses[round * k + s])) {
                return reject(Kind::kFoldingProofOfWork, stage(), fmt::format("fold {}", s));
            }
            challenges.push_back(transcript.sample_ext());
            claim = quadratic_at(claim - evals[0], evals[0], evals[1], challenges.back());
        }
        RoundClaims& claims = rounds.emplace_back();
        if (is_last) {
            for (const Fp4& coeff : whir.final_poly) transcript.observe_ext(coeff);
        } else {
            transcript.observe(whir.codeword_commits[round]);
            claims.z0 = transcript.sample_ext();
            transcript.observe_ext(whir.ood_values[round]);
        }
        if (!transcript.check_witness(params.whir.query_phase_pow_bits, whir.query_phase_pow_witnesses[round])) {
            return reject(Kind::kQueryProofOfWork, stage());
        }
        Queries queries = sample_queries(transcript, params.whir.num_queries[round], log_domain, k);
        auto values = round == 0 ? open_initial_round(context, queries, mu) : open_codeword(context, queries, round);
        if (!values) return std::move(values).error();

        claims.gamma = transcript.sample_ext();
        if (!is_last) claim += claims.gamma * whir.ood_values[round];
        const LeafFold fold(std::span<const Fp4>(challenges).last(k));
        std::vector<Fp4> folded(queries.indices.size());
        on_ranges(folded.size(), context.num_threads, kQueriesOfAThread, [&](std::size_t first, std::size_t last) {
            for (std::size_t q = first; q < last; ++q) {
                folded[q] = fold(std::span(*values).subspan(q << k, std::size_t{1} << k), queries.x_inverse[q]);
            }
        });
        Fp4 power = claims.gamma.square();
        for (const Fp4& value : folded) {
            claim += power * value;
            power *= claims.gamma;
        }
        claims.z = std::move(queries.z);
    }

    const Fp4 expected = claim_from_final_poly(context, u, challenges, rounds);
    if (claim != expected) return reject(Kind::kFinalPolyClaim, "whir.final", "", expected, claim);
    return {};
}

}  // namespace whorl::verifier
