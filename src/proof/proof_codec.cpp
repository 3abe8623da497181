// The proof codec (PROTOCOL.md section 16). Lengths that follow from others are not in the bytes.
#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <whorl/proof.hpp>

#include "machine/guard.hpp"
#include "proof/byte_reader.hpp"

namespace whorl {
namespace {

constexpr std::size_t kFpBytes = 4;
constexpr std::size_t kFp4Bytes = 16;
constexpr std::size_t kDigestBytes = 32;
// WHIR leaves of 2^k rows: no workable key folds more variables a round.
constexpr std::uint64_t kMaxFoldedVariables = 27;
// Rows without columns, paths without siblings and commitments without queries take no bytes; they are capped together.
constexpr std::uint64_t kMaxFreeItems = std::uint64_t{1} << 20;

// ---- writing -------------------------------------------------------------------------------------------------------

class Writer {
public:
    void section(std::string name) { sections_.push_back({std::move(name), bytes_.size()}); }

    void byte(std::uint8_t value) { bytes_.push_back(static_cast<std::byte>(value)); }
    void u32(std::uint32_t value) {
        std::array<std::byte, 4> word;
        for (unsigned i = 0; i < 4; ++i) word[i] = static_cast<std::byte>(value >> (8 * i));
        bytes_.insert(bytes_.end(), word.begin(), word.end());
    }
    template <class Container>
    void length(const Container& items) {
        u32(static_cast<std::uint32_t>(items.size()));
    }
    void put(Fp value) { u32(value.canonical()); }
    void put(const Fp4& value) { put_all(value.c); }
    void put(const Digest& value) { put_all(value); }
    template <class Container>
    void put_all(const Container& items) {
        for (const auto& item : items) put(item);
    }
    template <class Container>
    void put_vec(const Container& items) {
        length(items);
        put_all(items);
    }

    std::vector<std::byte> take_bytes() { return std::move(bytes_); }
    std::vector<ProofSection> take_sections() {
        std::size_t end = bytes_.size();
        for (std::size_t i = sections_.size(); i-- > 0;) {
            const std::size_t start = sections_[i].size_bytes;
            sections_[i].size_bytes = end - start;
            end = start;
        }
        return std::move(sections_);
    }

private:
    std::vector<std::byte> bytes_;
    std::vector<ProofSection> sections_;  // until take_sections, size_bytes is the start
};

void write_header(Writer& out, const Proof& proof) {
    out.section("header");
    out.u32(kCodecVersion);
    out.put(proof.common_main_commit);
    out.section("trace data");
    out.length(proof.trace_vdata);
    for (std::size_t start = 0; start < proof.trace_vdata.size(); start += 8) {
        unsigned bits = 0;
        const std::size_t end = std::min(start + 8, proof.trace_vdata.size());
        for (std::size_t i = start; i < end; ++i) bits |= unsigned{proof.trace_vdata[i].has_value()} << (i - start);
        out.byte(static_cast<std::uint8_t>(bits));
    }
    for (const auto& vdata : proof.trace_vdata) {
        if (!vdata) continue;
        out.u32(vdata->log_height);
        out.put_vec(vdata->cached_commitments);
    }
    out.section("public values");
    out.length(proof.public_values);
    for (const auto& values : proof.public_values) out.put_vec(values);
}

void write_gkr(Writer& out, const GkrProof& gkr) {
    out.section("gkr");
    out.put(gkr.logup_pow_witness);
    out.put(gkr.q0_claim);
    out.length(gkr.claims_per_layer);
    for (const GkrLayerClaims& claims : gkr.claims_per_layer) {
        out.put(claims.p_xi_0);
        out.put(claims.p_xi_1);
        out.put(claims.q_xi_0);
        out.put(claims.q_xi_1);
    }
    for (const auto& rounds : gkr.sumcheck_polys) {
        for (const auto& evals : rounds) out.put_all(evals);
    }
}

void write_batch_constraint(Writer& out, const BatchConstraintProof& batch) {
    out.section("batch constraints");
    out.put_vec(batch.numerator_term_per_air);
    out.put_all(batch.denominator_term_per_air);
    out.put_vec(batch.univariate_round_coeffs);
    out.length(batch.sumcheck_round_polys);
    if (!batch.sumcheck_round_polys.empty()) out.length(batch.sumcheck_round_polys.front());
    for (const auto& evals : batch.sumcheck_round_polys) out.put_all(evals);
    out.section("column openings");
    for (const auto& parts : batch.column_openings) {
        out.length(parts);
        for (const auto& openings : parts) out.put_vec(openings);
    }
}

void write_stacking(Writer& out, const StackingProof& stacking) {
    out.section("stacking");
    out.put_vec(stacking.univariate_round_coeffs);
    out.length(stacking.sumcheck_round_polys);
    for (const auto& evals : stacking.sumcheck_round_polys) out.put_all(evals);
    out.section("stacking openings");
    out.length(stacking.stacking_openings);
    for (const auto& openings : stacking.stacking_openings) out.put_vec(openings);
}

std::uint32_t first_depth(const std::vector<std::vector<MerklePath>>& paths) {
    return paths.empty() || paths.front().empty() ? 0 : static_cast<std::uint32_t>(paths.front().front().size());
}

void write_whir(Writer& out, const WhirProof& whir) {
    out.section("whir messages");
    out.put(whir.mu_pow_witness);
    out.length(whir.sumcheck_polys);
    for (const auto& evals : whir.sumcheck_polys) out.put_all(evals);
    out.put_vec(whir.codeword_commits);
    out.put_all(whir.ood_values);
    out.put_all(whir.folding_pow_witnesses);
    out.put_all(whir.query_phase_pow_witnesses);

    out.section("whir initial rows");
    const auto& rows = whir.initial_round_opened_rows;
    const std::size_t num_queries = rows.empty() ? 0 : rows.front().size();
    out.length(rows);
    out.u32(static_cast<std::uint32_t>(num_queries));
    if (num_queries != 0) {
        out.u32(first_depth(whir.initial_round_merkle_proofs));
        for (const auto& queries : rows) {
            const bool is_empty = queries.empty() || queries.front().empty();
            out.u32(is_empty ? 0 : static_cast<std::uint32_t>(queries.front().front().size()));
        }
    }
    for (const auto& queries : rows) {
        for (const auto& leaf : queries) {
            for (const auto& row : leaf) out.put_all(row);
        }
    }
    out.section("whir initial paths");
    for (const auto& paths : whir.initial_round_merkle_proofs) {
        for (const auto& path : paths) out.put_all(path);
    }

    out.section("whir codeword values");
    for (const auto& queries : whir.codeword_opened_values) {
        out.length(queries);
        for (const auto& values : queries) out.put_all(values);
    }
    out.section("whir codeword paths");
    out.u32(num_queries == 0 ? 0 : first_depth(whir.codeword_merkle_proofs));
    for (const auto& paths : whir.codeword_merkle_proofs) {
        for (const auto& path : paths) out.put_all(path);
    }
    out.section("whir final polynomial");
    out.put_vec(whir.final_poly);
}

Writer write_proof(const Proof& proof) {
    Writer out;
    write_header(out, proof);
    write_gkr(out, proof.gkr);
    write_batch_constraint(out, proof.batch_constraint);
    write_stacking(out, proof.stacking);
    write_whir(out, proof.whir);
    return out;
}

// ---- reading -------------------------------------------------------------------------------------------------------

std::uint32_t load_u32(const std::byte* bytes) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(bytes[i]) << (8 * i);
    return value;
}

class Reader : public ByteReader {
public:
    explicit Reader(std::span<const std::byte> bytes) : ByteReader(bytes, "proof.decode") {}

    std::uint32_t u32(std::string_view what) {
        const std::byte* bytes = take(4, what);
        return bytes == nullptr ? 0 : load_u32(bytes);
    }
    /// A length of items that take at least `min_item_bytes` each.
    std::size_t count(std::size_t min_item_bytes, std::string_view what) {
        const std::uint32_t value = u32(what);
        return static_cast<std::size_t>(bounded(value, min_item_bytes, what));
    }

    /// Fills `out`, a contiguous range of field elements.
    void fill(std::span<Fp> out, std::string_view what) {
        const std::size_t start = offset();
        const std::byte* bytes = take(out.size() * kFpBytes, what);
        if (bytes == nullptr) return;
        for (std::size_t i = 0; i < out.size(); ++i) {
            const std::uint32_t value = load_u32(bytes + i * kFpBytes);
            if (value >= Fp::kModulus) {
                fail_at(start + i * kFpBytes, what, fmt::format("a field element below {}", Fp::kModulus),
                        fmt::format("{}", value));
                return;
            }
            out[i] = Fp::from_canonical(value);
        }
    }
    void get(Fp& out, std::string_view what) { fill({&out, 1}, what); }
    void get(Fp4& out, std::string_view what) { fill(out.c, what); }
    void get(Digest& out, std::string_view what) { fill(out, what); }
    template <class T, std::size_t N>
    void get(std::array<T, N>& out, std::string_view what) {
        for (T& item : out) get(item, what);
    }
    /// `size` items of `item_bytes` each; the bytes are there before memory is taken.
    template <class T>
    void get_n(std::vector<T>& out, std::uint64_t size, std::size_t item_bytes, std::string_view what) {
        out.resize(static_cast<std::size_t>(bounded(size, item_bytes, what)));
        if constexpr (std::is_same_v<T, Fp>) {
            fill(out, what);
        } else {
            for (T& item : out) get(item, what);
        }
    }
    template <class T>
    void get_vec(std::vector<T>& out, std::size_t item_bytes, std::string_view what) {
        get_n(out, u32(what), item_bytes, what);
    }

    /// Items that take no bytes: counted against kMaxFreeItems.
    void spend_free(std::uint64_t items, std::string_view what) {
        if (items > free_items_) {
            fail(what, fmt::format("at most {} items that take no bytes", kMaxFreeItems), fmt::format("{}", items));
            return;
        }
        free_items_ -= items;
    }
    /// Checks a · b · c items of `item_bytes` each (free ones when 0), without overflow: a, b < 2^32 and c ≤ 2^32.
    void expect_product(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t item_bytes,
                        std::string_view what) {
        const unsigned __int128 items = static_cast<unsigned __int128>(a) * b * c;
        const std::uint64_t clamped = items >> 64 != 0 ? UINT64_MAX : static_cast<std::uint64_t>(items);
        if (item_bytes == 0) {
            spend_free(clamped, what);
        } else {
            bounded(clamped, item_bytes, what);
        }
    }

private:
    std::uint64_t free_items_ = kMaxFreeItems;
};

void read_header(Reader& in, Proof& proof) {
    in.enter("header");
    if (const std::uint32_t version = in.u32("codec version"); in.ok() && version != kCodecVersion) {
        in.fail_at(0, "codec version", fmt::format("{}", kCodecVersion), fmt::format("{}", version));
    }
    in.get(proof.common_main_commit, "common main commitment");

    in.enter("trace data");
    // Each AIR has at least the length of its public values, further on.
    const std::size_t num_airs = in.count(4, "number of AIRs");
    const std::size_t bitmap_size = (num_airs + 7) / 8;
    const std::size_t bitmap_offset = in.offset();
    const std::byte* bitmap = in.take(bitmap_size, "bitmap of AIRs");
    if (bitmap == nullptr) return;
    proof.trace_vdata.resize(num_airs);
    for (std::size_t i = 0; i < 8 * bitmap_size; ++i) {
        if ((std::to_integer<unsigned>(bitmap[i / 8]) >> (i % 8) & 1) == 0) continue;
        if (i >= num_airs) {
            in.fail_at(bitmap_offset + i / 8, "bitmap padding", "zero bits", fmt::format("bit {} set", i % 8));
            return;
        }
        proof.trace_vdata[i].emplace();
    }
    for (auto& vdata : proof.trace_vdata) {
        if (!vdata) continue;
        vdata->log_height = in.u32("log height");
        in.get_vec(vdata->cached_commitments, kDigestBytes, "cached commitments");
        if (!in.ok()) return;
    }

    in.enter("public values");
    proof.public_values.resize(in.count(4, "number of AIRs"));
    for (auto& values : proof.public_values) in.get_vec(values, kFpBytes, "public values");
}

void read_gkr(Reader& in, GkrProof& gkr) {
    in.enter("gkr");
    in.get(gkr.logup_pow_witness, "LogUp proof-of-work witness");
    in.get(gkr.q0_claim, "root denominator");
    gkr.claims_per_layer.resize(in.count(4 * kFp4Bytes, "number of layers"));
    for (GkrLayerClaims& claims : gkr.claims_per_layer) {
        in.get(claims.p_xi_0, "p(0) claim");
        in.get(claims.p_xi_1, "p(1) claim");
        in.get(claims.q_xi_0, "q(0) claim");
        in.get(claims.q_xi_1, "q(1) claim");
    }
    if (!in.ok()) return;
    const std::size_t num_polys = gkr.claims_per_layer.empty() ? 0 : gkr.claims_per_layer.size() - 1;
    gkr.sumcheck_polys.resize(num_polys);
    for (std::size_t j = 0; j < num_polys && in.ok(); ++j) {
        in.get_n(gkr.sumcheck_polys[j], j + 1, 3 * kFp4Bytes, "sumcheck polynomials");
    }
}

void read_batch_constraint(Reader& in, BatchConstraintProof& batch) {
    in.enter("batch constraints");
    in.get_vec(batch.numerator_term_per_air, kFp4Bytes, "numerator terms");
    const std::size_t num_traces = batch.numerator_term_per_air.size();
    in.get_n(batch.denominator_term_per_air, num_traces, kFp4Bytes, "denominator terms");
    in.get_vec(batch.univariate_round_coeffs, kFp4Bytes, "univariate coefficients");
    if (const std::uint32_t num_rounds = in.u32("number of sumcheck rounds"); num_rounds > 0) {
        const std::uint32_t num_evals = in.u32("values per sumcheck round");
        // Rounds without values would take no bytes; no key has them.
        if (in.ok() && num_evals == 0) in.fail("values per sumcheck round", "at least 1", "0");
        batch.sumcheck_round_polys.resize(
            static_cast<std::size_t>(in.bounded(num_rounds, kFp4Bytes * std::uint64_t{num_evals}, "sumcheck values")));
        for (auto& evals : batch.sumcheck_round_polys) in.get_n(evals, num_evals, kFp4Bytes, "sumcheck values");
    }
    in.enter("column openings");
    if (!in.ok()) return;
    batch.column_openings.resize(num_traces);
    for (auto& parts : batch.column_openings) {
        parts.resize(in.count(4, "number of parts"));
        for (auto& openings : parts) in.get_vec(openings, kFp4Bytes, "openings");
    }
}

void read_stacking(Reader& in, StackingProof& stacking) {
    in.enter("stacking");
    in.get_vec(stacking.univariate_round_coeffs, kFp4Bytes, "univariate coefficients");
    in.get_vec(stacking.sumcheck_round_polys, 2 * kFp4Bytes, "sumcheck values");
    in.enter("stacking openings");
    stacking.stacking_openings.resize(in.count(4, "number of commitments"));
    for (auto& openings : stacking.stacking_openings) in.get_vec(openings, kFp4Bytes, "openings");
}

void read_whir(Reader& in, WhirProof& whir) {
    in.enter("whir messages");
    in.get(whir.mu_pow_witness, "mu proof-of-work witness");
    in.get_vec(whir.sumcheck_polys, 2 * kFp4Bytes, "sumcheck values");
    in.get_vec(whir.codeword_commits, kDigestBytes, "codeword commitments");
    const std::size_t num_folds = whir.sumcheck_polys.size();
    const std::size_t num_rounds = whir.codeword_commits.size() + 1;
    const std::size_t k = num_folds / num_rounds;
    if (num_folds % num_rounds != 0) {
        in.fail("number of sumcheck rounds", fmt::format("a multiple of {} WHIR rounds", num_rounds),
                fmt::format("{}", num_folds));
    }
    if (k > kMaxFoldedVariables) {
        in.fail("variables folded per round", fmt::format("at most {}", kMaxFoldedVariables), fmt::format("{}", k));
    }
    in.get_n(whir.ood_values, num_rounds - 1, kFp4Bytes, "out-of-domain values");
    in.get_n(whir.folding_pow_witnesses, num_folds, kFpBytes, "folding proof-of-work witnesses");
    in.get_n(whir.query_phase_pow_witnesses, num_rounds, kFpBytes, "query proof-of-work witnesses");
    if (!in.ok()) return;
    const std::size_t rows_per_leaf = std::size_t{1} << k;

    in.enter("whir initial rows");
    const std::uint32_t num_commits = in.u32("number of commitments");
    if (in.ok() && num_commits == 0) in.fail("number of commitments", "at least 1", "0");
    const std::uint32_t num_queries = in.u32("number of queries");
    std::uint32_t depth = 0;
    if (num_queries == 0) {
        in.spend_free(num_commits, "commitments without queries");
    } else {
        depth = in.u32("path depth");
        in.bounded(num_commits, 4, "row widths");
    }
    if (!in.ok()) return;
    std::vector<std::uint32_t> widths(num_commits);
    if (num_queries != 0) {
        for (std::uint32_t& width : widths) width = in.u32("row width");
    }
    whir.initial_round_opened_rows.resize(num_commits);
    for (std::size_t c = 0; c < num_commits; ++c) {
        in.expect_product(num_queries, rows_per_leaf, std::max<std::uint32_t>(widths[c], 1),
                          widths[c] == 0 ? 0 : kFpBytes, "opened rows");
        if (!in.ok()) return;
        auto& queries = whir.initial_round_opened_rows[c];
        queries.resize(num_queries);
        for (auto& leaf : queries) {
            leaf.resize(rows_per_leaf);
            for (auto& row : leaf) in.get_n(row, widths[c], kFpBytes, "opened row");
        }
    }
    in.enter("whir initial paths");
    in.expect_product(num_commits, num_queries, std::max<std::uint32_t>(depth, 1), depth == 0 ? 0 : kDigestBytes,
                      "Merkle paths");
    if (!in.ok()) return;
    whir.initial_round_merkle_proofs.resize(num_commits);
    for (auto& paths : whir.initial_round_merkle_proofs) {
        paths.resize(num_queries);
        for (MerklePath& path : paths) in.get_n(path, depth, kDigestBytes, "Merkle path");
    }

    in.enter("whir codeword values");
    whir.codeword_opened_values.resize(num_rounds - 1);
    for (auto& queries : whir.codeword_opened_values) {
        queries.resize(in.count(rows_per_leaf * kFp4Bytes, "number of queries"));
        for (auto& values : queries) in.get_n(values, rows_per_leaf, kFp4Bytes, "opened values");
        if (!in.ok()) return;
    }
    in.enter("whir codeword paths");
    const std::uint32_t first_codeword_depth = in.u32("path depth");
    whir.codeword_merkle_proofs.resize(num_rounds - 1);
    for (std::size_t i = 0; i + 1 < num_rounds && in.ok(); ++i) {
        auto& paths = whir.codeword_merkle_proofs[i];
        paths.resize(whir.codeword_opened_values[i].size());
        if (paths.empty()) continue;
        if (first_codeword_depth < i) {
            in.fail("path depth", fmt::format("at least {} for {} rounds", i, num_rounds),
                    fmt::format("{}", first_codeword_depth));
            return;
        }
        const std::uint64_t codeword_depth = first_codeword_depth - i;
        in.expect_product(paths.size(), std::max<std::uint64_t>(codeword_depth, 1), 1,
                          codeword_depth == 0 ? 0 : kDigestBytes, "Merkle paths");
        for (MerklePath& path : paths) in.get_n(path, codeword_depth, kDigestBytes, "Merkle path");
    }
    in.enter("whir final polynomial");
    in.get_vec(whir.final_poly, kFp4Bytes, "coefficients");
}

Result<Proof> read_proof(std::span<const std::byte> bytes) {
    Reader in(bytes);
    Proof proof;
    read_header(in, proof);
    if (in.ok()) read_gkr(in, proof.gkr);
    if (in.ok()) read_batch_constraint(in, proof.batch_constraint);
    if (in.ok()) read_stacking(in, proof.stacking);
    if (in.ok()) read_whir(in, proof.whir);
    in.finish();
    if (!in.ok()) return in.take_error();
    return proof;
}

}  // namespace

Result<std::vector<std::byte>> encode_proof(const Proof& proof) noexcept {
    return guarded("encode_proof", [&]() -> Result<std::vector<std::byte>> { return write_proof(proof).take_bytes(); });
}

Result<std::vector<ProofSection>> proof_sections(const Proof& proof) noexcept {
    return guarded("proof_sections",
                   [&]() -> Result<std::vector<ProofSection>> { return write_proof(proof).take_sections(); });
}

Result<Proof> decode_proof(std::span<const std::byte> bytes) noexcept {
    return guarded("decode_proof", [&] { return read_proof(bytes); });
}

}  // namespace whorl
