// Committing on a device: messages, Reed–Solomon codes and Merkle trees (PROTOCOL.md sections 8.1, 9, 10).
//
// The code matrix of stacked columns never exists as a whole. A few columns at a time are encoded and absorbed into the
// hashes of their rows; openings encode them again and keep the rows asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <whorl/proof.hpp>

#include "backend/gpu/device.hpp"
#include "backend/gpu/ntt.hpp"
#include "backend/gpu/traces.hpp"
#include "prover/input.hpp"

namespace whorl::gpu {

/// Extension elements as values on D to messages, in place: blocks of 2^l_skip neighbours, each coordinate for itself.
/// Records num_message_kernels(l_skip) kernels.
void record_message(Recorder& recorder, unsigned l_skip, Address elements, std::uint64_t count);
inline unsigned num_message_kernels(unsigned l_skip) {
    return l_skip == 0 ? 0 : 1;
}

/// A tree over 2^log_rows bit-reversed rows, leaves of 2^k rows; all layers from the leaves upwards.
class MerkleTree {
public:
    MerkleTree(Device& device, unsigned log_rows, unsigned k);
    /// In memory that is not the arena's: num_node_words() words at `nodes`, which outlive the tree.
    MerkleTree(Address nodes, unsigned log_rows, unsigned k) : log_rows_(log_rows), k_(k), nodes_(nodes) {}
    static std::uint64_t num_node_words(unsigned log_rows, unsigned k) { return std::uint64_t{16} << (log_rows - k); }

    /// Words that hashing rows takes between calls of record_rows() and until record_layers().
    std::uint64_t num_state_words() const { return std::uint64_t{8} << log_rows_; }
    /// Goes on with the hashes of all rows; columns must come in multiples of 8 but for the last. One kernel.
    void record_rows(Recorder& recorder, const NttColumns& columns, Address state, bool is_first, bool is_last) const;
    /// From row hashes to the root. num_layer_kernels() kernels.
    Mailbox<Digest> record_layers(Recorder& recorder, Address state) const;
    unsigned num_layer_kernels() const;

    /// The siblings of leaves (natural order), one path after another. num_path_kernels() kernels.
    Mailbox<Digest> record_paths(Recorder& recorder, Address indices, std::uint32_t num_indices) const;
    unsigned num_path_kernels() const { return log_leaves() == 0 ? 0 : 1; }
    std::vector<MerklePath> split_paths(const Mailbox<Digest>& siblings, std::size_t num_indices) const;

    /// The rows of leaves (natural order) in the order of proofs: [index][row in the leaf][column]. One kernel.
    template <class T>
    Mailbox<T> record_leaf_rows(Recorder& recorder, const NttColumns& columns, Address indices,
                                std::uint32_t num_indices) const {
        const std::uint64_t num_words = (std::uint64_t{num_indices} << k_) * columns.num_columns;
        const auto rows = recorder.mailbox<T>(num_words * sizeof(std::uint32_t) / sizeof(T));
        record_leaf_rows(recorder, columns, indices, num_indices, rows.address());
        return rows;
    }
    unsigned k() const { return k_; }

private:
    unsigned log_leaves() const { return log_rows_ - k_; }
    void record_leaf_rows(Recorder& recorder, const NttColumns& columns, Address indices, std::uint32_t num_indices,
                          Address out) const;

    unsigned log_rows_;
    unsigned k_;
    Buffer buffer_;  // empty where the memory is not the arena's
    Address nodes_;
};

/// Leaves opened: rows[q][j] is row j of leaf q.
template <class Row>
struct OpenedLeaves {
    std::vector<std::vector<Row>> rows;
    std::vector<MerklePath> paths;
};

/// How commitments are made. Never changes a value.
struct CommitTuning {
    /// About as many bytes of codewords exist at a time, at least 8 columns; up to 7 columns more in the last group.
    std::uint64_t codeword_bytes = std::uint64_t{128} << 20;
};

/// Matrices of a stacked layout, on the device.
struct StackedColumns {
    const StackedLayout* layout;
    std::vector<const DeviceColumns*> matrices;
};
struct ColumnGroup {
    std::uint32_t first = 0, count = 0;  // stacked columns
};

/// Makes the codes of stacked columns, a group of columns at a time.
class StackedEncoder {
public:
    /// Records uploads, so it lives as long as the submission. `roots`: forward, for params.log_codeword_height().
    StackedEncoder(Recorder& recorder, const NttRoots& roots, const SystemParams& params);
    /// Writes the codewords of a group one behind the other, the first at `codewords`. num_kernels(group) kernels.
    NttColumns record(const StackedColumns& stacked, const ColumnGroup& group, Address codewords) const;
    unsigned num_kernels(const ColumnGroup& group) const;

private:
    Recorder& recorder_;
    const NttRoots& roots_;
    const SystemParams& params_;
    Address message_roots_;
};
/// Where a column of 2^log_rows words ends and the next begins, in words.
std::uint64_t codeword_stride(unsigned log_rows);

class ResidentPart;
class Residents;

/// The stacked commitments of a proof.
class StackedCommitments {
public:
    /// Commits to what is not resident, in one submission. What is passed by reference stays. `roots`: forward, for
    /// params.log_codeword_height().
    StackedCommitments(Device& device, const NttRoots& roots, const DeviceTraces& traces, const Residents& residents,
                       const ProverInput& input, const CommitTuning& tuning = {});

    const Digest& root(std::size_t commitment) const { return commitments_[commitment].root; }
    /// Leaves of every commitment, in one submission.
    std::vector<OpenedLeaves<std::vector<Fp>>> open(std::span<const std::uint32_t> indices) const;

private:
    struct Commitment {
        StackedColumns stacked;
        const ResidentPart* resident = nullptr;
        std::optional<MerkleTree> made;  // where it is not resident
        Digest root{};

        const MerkleTree& tree() const;
    };
    std::vector<ColumnGroup> column_groups(std::uint32_t width) const;
    std::uint64_t num_codeword_words() const;

    Device& device_;
    const NttRoots& roots_;
    const ProverInput& input_;
    CommitTuning tuning_;
    std::vector<Commitment> commitments_;
};

/// The code of a polynomial over the extension, which stays in memory.
class ExtCodeword {
public:
    /// Commits to 2^log_n coefficients at `coeffs`, in one submission with `num_pending_kernels` recorded before.
    /// `roots`: forward, for at least log_n + log_blowup.
    ExtCodeword(Device& device, const NttRoots& roots, Address coeffs, unsigned log_n, unsigned log_blowup, unsigned k,
                std::int64_t num_pending_kernels = 0);

    const Digest& root() const { return root_; }
    /// In one submission.
    OpenedLeaves<Fp4> open(std::span<const std::uint32_t> indices) const;

private:
    NttColumns columns() const;

    Device& device_;
    unsigned log_rows_;
    Buffer planes_;
    MerkleTree tree_;
    Digest root_;
};

}  // namespace whorl::gpu
