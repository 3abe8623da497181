#include "verifier/merkle.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "hash/batch.hpp"
#include "verifier/threads.hpp"

namespace whorl::verifier {
namespace {

// States that are permuted together: their planes stay in the first-level cache.
class StateBatch {
public:
    static constexpr std::size_t kStates = 64;  // a multiple of every vector length

    void put(std::size_t word, std::size_t state, Fp value) { words_[word * kStates + state] = value.montgomery(); }
    void put(std::size_t first_word, std::size_t state, const Digest& digest) {
        for (std::size_t w = 0; w < digest.size(); ++w) put(first_word + w, state, digest[w]);
    }
    void permute(std::size_t count) { permute_states(words_.data(), kStates, count); }
    Digest digest(std::size_t state) const {
        Digest out;
        for (std::size_t w = 0; w < out.size(); ++w) out[w] = Fp::from_montgomery(words_[w * kStates + state]);
        return out;
    }

private:
    alignas(64) std::array<std::uint32_t, kPoseidonWidth * kStates> words_{};
};

// One digest a row: the sponge hash of PROTOCOL.md 3.2. All rows have the width of the first.
std::vector<Digest> hash_rows(std::span<const std::span<const Fp>> rows) {
    std::vector<Digest> digests(rows.size());
    const std::size_t width = rows.empty() ? 0 : rows.front().size();
    for (std::size_t first = 0; first < rows.size(); first += StateBatch::kStates) {
        const std::size_t count = std::min(StateBatch::kStates, rows.size() - first);
        StateBatch states;
        for (std::size_t column = 0; column < width; column += kPoseidonRate) {
            const std::size_t length = std::min<std::size_t>(kPoseidonRate, width - column);
            for (std::size_t i = 0; i < count; ++i) {
                for (std::size_t w = 0; w < length; ++w) states.put(w, i, rows[first + i][column + w]);
            }
            states.permute(count);
        }
        for (std::size_t i = 0; i < count; ++i) digests[first + i] = states.digest(i);
    }
    return digests;
}

// out[i] = compress(left(i), right(i)); reads of a batch come before its writes.
template <class Left, class Right>
void compress_all(std::span<Digest> out, Left left, Right right) {
    for (std::size_t first = 0; first < out.size(); first += StateBatch::kStates) {
        const std::size_t count = std::min(StateBatch::kStates, out.size() - first);
        StateBatch states;
        for (std::size_t i = 0; i < count; ++i) {
            states.put(0, i, left(first + i));
            states.put(kPoseidonRate, i, right(first + i));
        }
        states.permute(count);
        for (std::size_t i = 0; i < count; ++i) out[first + i] = states.digest(i);
    }
}

// The roots of the leaves: layer by layer over all queries, so that each layer is one batch of independent permutations.
std::vector<Digest> roots_of(std::span<const std::span<const Fp>> rows, std::size_t rows_per_leaf,
                             std::span<const MerklePath> paths, std::span<const std::uint32_t> indices) {
    std::vector<Digest> nodes = hash_rows(rows);
    for (std::size_t width = rows_per_leaf; width > 1; width /= 2) {
        compress_all(
            std::span(nodes).first(nodes.size() / 2), [&](std::size_t i) -> const Digest& { return nodes[2 * i]; },
            [&](std::size_t i) -> const Digest& { return nodes[2 * i + 1]; });
        nodes.resize(nodes.size() / 2);
    }
    const std::size_t depth = paths.empty() ? 0 : paths.front().size();
    for (std::size_t level = 0; level < depth; ++level) {
        const auto is_right = [&](std::size_t q) { return ((indices[q] >> level) & 1) != 0; };
        compress_all(
            nodes, [&](std::size_t q) -> const Digest& { return is_right(q) ? paths[q][level] : nodes[q]; },
            [&](std::size_t q) -> const Digest& { return is_right(q) ? nodes[q] : paths[q][level]; });
    }
    return nodes;
}

}  // namespace

std::optional<BadOpening> check_merkle_openings(const Digest& root, std::span<const std::span<const Fp>> rows,
                                                std::size_t rows_per_leaf, std::span<const MerklePath> paths,
                                                std::span<const std::uint32_t> indices, std::uint32_t num_threads) {
    std::vector<Digest> roots(indices.size());
    on_ranges(indices.size(), num_threads, kQueriesOfAThread, [&](std::size_t first, std::size_t last) {
        const std::size_t count = last - first;
        std::ranges::copy(roots_of(rows.subspan(first * rows_per_leaf, count * rows_per_leaf), rows_per_leaf,
                                   paths.subspan(first, count), indices.subspan(first, count)),
                          roots.begin() + static_cast<std::ptrdiff_t>(first));
    });
    for (std::size_t q = 0; q < roots.size(); ++q) {
        if (roots[q] != root) return BadOpening{q, roots[q]};
    }
    return std::nullopt;
}

}  // namespace whorl::verifier
