// Committing to stacked trace columns: message, Reed–Solomon code, Merkle tree (PROTOCOL.md sections 8.1, 9, 10).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include <whorl/params.hpp>
#include <whorl/telemetry.hpp>

#include "air/committed_matrix.hpp"
#include "backend/cpu/buffer.hpp"
#include "backend/cpu/columns.hpp"
#include "backend/cpu/merkle.hpp"
#include "backend/cpu/tile.hpp"
#include "proof/layout.hpp"

namespace whorl::cpu {

/// Codewords as columns of words, bit-reversed, with their tree.
class CodeMatrix {
public:
    /// `words` holds `width` columns `stride` apart, 2^log_rows rows each.
    CodeMatrix(WordBuffer words, std::size_t width, std::size_t stride, unsigned log_rows, unsigned k,
               Telemetry* telemetry);

    Digest root() const { return tree_.root(); }
    std::size_t width() const { return width_; }
    MerklePath path(std::size_t leaf) const { return tree_.path(leaf); }
    /// Row j of leaf q, that is row q + j·2^(log_rows − k) in natural order.
    std::vector<Fp> leaf_row(std::size_t leaf, std::size_t j) const;

private:
    WordBuffer words_;
    std::size_t width_;
    std::size_t stride_;
    unsigned log_rows_;
    unsigned k_;
    MerkleTree tree_;
};

/// A leaf of a commitment: 2^k rows (PROTOCOL.md section 10), row j being row q + j·2^(log_rows − k) in natural order.
using LeafRows = std::vector<std::vector<Fp>>;

/// The rows of each slice of `layout`, whose matrix i is `*matrix_at(i)`.
template <class MatrixAt>
std::vector<const std::uint32_t*> words_of_slices(const StackedLayout& layout, const MatrixAt& matrix_at) {
    std::vector<const std::uint32_t*> words;
    for (const StackedSlice& slice : layout.slices)
        words.push_back(column_words(*matrix_at(slice.matrix), slice.column));
    return words;
}

/// A commitment to stacked columns. Of tall ones only the tree is kept: rows of their code are made as they are hashed, a
/// block at a time, and those of opened leaves again, from the traces.
class StackedCommitment {
public:
    /// slice_words[s] are the rows of slice s; they and `layout` outlive the commitment. `reach` is told how much of it is done.
    StackedCommitment(const SystemParams& params, const StackedLayout& layout,
                      std::vector<const std::uint32_t*> slice_words, Telemetry* telemetry,
                      const std::function<void(double fraction)>& reach = {});
    StackedCommitment(StackedCommitment&&) = default;

    /// Whether columns of that height are; the code of lower ones is kept whole.
    static bool is_made_by_blocks(unsigned log_height);

    Digest root() const;
    std::size_t width() const { return layout_->width; }
    MerklePath path(std::size_t leaf) const;
    /// The rows of each of `leaves`.
    std::vector<LeafRows> rows_of(std::span<const std::uint32_t> leaves, Telemetry* telemetry) const;

private:
    struct OpenedPart;

    std::vector<OpenedPart> opened_parts(std::span<const std::uint32_t> leaves) const;
    void write_message(std::uint32_t column, std::uint32_t* message) const;
    void hash_part(std::size_t part, WordBuffer& message, WordBuffer& blocks, std::uint32_t* leaves, std::size_t stride,
                   Telemetry* telemetry) const;
    CodeMatrix make_code(Telemetry* telemetry) const;

    SystemParams params_;
    const StackedLayout* layout_;
    std::vector<const std::uint32_t*> slice_words_;
    std::vector<std::size_t> first_slice_;  // by stacked column; one more at the end
    SkipDomain domain_;
    std::optional<CodeMatrix> code_;  // low columns
    std::optional<MerkleTree> tree_;  // tall ones
};

/// A matrix on its own, committed: what proofs take of a CommittedMatrix.
class CommittedPart final : public CommittedMatrix::State::HostPart {
public:
    /// `matrix` outlives it.
    CommittedPart(const SystemParams& params, const Matrix& matrix, Telemetry* telemetry);
    const StackedCommitment& commitment() const { return commitment_; }

private:
    StackedLayout layout_;
    StackedCommitment commitment_;
};

/// The commitment of `committed`, made by the first call where it was not made on this backend. The buffers outlive the proof.
const StackedCommitment& commitment_of(CommittedMatrix::State& committed, Telemetry* telemetry);

}  // namespace whorl::cpu
