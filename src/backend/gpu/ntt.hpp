// Number-theoretic transforms on a device (PROTOCOL.md sections 2 and 10), many columns at once.
//
// As on the host (transforms/ntt.hpp): coefficients in natural order, evaluations in BIT-REVERSED order. Everything here records
// and leaves a stage of its own behind; the caller states the kernels when it submits.
#pragma once

#include <cstdint>

#include "backend/gpu/device.hpp"

namespace whorl::gpu {

enum class NttDirection : std::uint8_t { kForward, kInverse };

/// Powers of the roots of unity, for transforms of at most 2^log_order points.
class NttRoots {
public:
    /// Records one kernel.
    NttRoots(Device& device, unsigned log_order, NttDirection direction);

    Address address() const { return words_.address(); }
    unsigned log_order() const { return log_order_; }

private:
    unsigned log_order_;
    Buffer words_;
};

/// Columns of words in device memory.
struct NttColumns {
    Address address = 0;
    std::uint64_t stride = 0;  ///< words between columns; of columns written, a multiple of 4 unless there is one
    std::uint32_t step = 1;    ///< words between neighbours of a column; 1 for columns written
    std::uint32_t num_columns = 1;
};

/// Kernels that one transform of 2^log_n points records.
unsigned num_ntt_passes(unsigned log_n);

/// The Reed–Solomon code of PROTOCOL.md section 10: 2^log_n coefficients a column of `messages`, zero-extended, to the
/// 2^(log_n + log_blowup) words of a column of `codewords`. They may start at the same addresses, otherwise they do not overlap.
/// Forward roots of at least log_n + log_blowup. log_blowup 0 is the plain transform.
void record_encode(Recorder& recorder, const NttRoots& roots, const NttColumns& messages, const NttColumns& codewords,
                   unsigned log_n, unsigned log_blowup);

/// 2^log_n evaluations a column to coefficients; the same address or no overlap. Inverse roots of at least log_n.
void record_inverse_ntt(Recorder& recorder, const NttRoots& roots, const NttColumns& evals, const NttColumns& coeffs,
                        unsigned log_n);

}  // namespace whorl::gpu
