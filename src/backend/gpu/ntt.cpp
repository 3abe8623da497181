#include "backend/gpu/ntt.hpp"

#include <stdexcept>

#include "backend/gpu/kernels.hpp"

namespace whorl::gpu {
namespace {

// Threadgroups that keep any device busy.
constexpr std::uint64_t kEnoughGroups = 1024;

// Passes over rows far apart that come before blocks are small enough.
unsigned num_strided_passes(unsigned log_n) {
    return log_n <= kNttLogTile ? 0 : (log_n - kNttLogTile + kNttLogStrided - 1) / kNttLogStrided;
}

NttParams make_params(const NttRoots& roots, const NttColumns& in, const NttColumns& out, unsigned log_n,
                      unsigned log_blowup) {
    if (log_n + log_blowup > roots.log_order()) throw std::logic_error("transform larger than its table of roots");
    NttParams params{};
    params.in = in.address;
    params.out = out.address;
    params.in_stride = in.stride;
    params.out_stride = out.stride;
    params.roots = roots.address();
    params.in_step = in.step;
    params.log_n = log_n;
    params.log_blowup = log_blowup;
    params.log_order = roots.log_order();
    params.num_columns = in.num_columns;
    params.coset_groups = 1;
    return params;
}

// Threadgroups for columns of 2^log_space words each, a tile a group.
std::uint64_t num_tiles(std::uint32_t num_columns, unsigned log_space) {
    const std::uint64_t tile = std::uint64_t{1} << kNttLogTile;
    return ((std::uint64_t{num_columns} << log_space) + tile - 1) / tile;
}

}  // namespace

NttRoots::NttRoots(Device& device, unsigned log_order, NttDirection direction) : log_order_(log_order) {
    const unsigned low_bits = (log_order + 1) / 2;
    const std::uint64_t words =
        kNttFirstPower + (std::uint64_t{1} << low_bits) + (std::uint64_t{1} << (log_order - low_bits));
    words_ = device.arena().take_words("ntt_roots", words);
    Fp root = two_adic_generator(log_order);
    Fp block_root = two_adic_generator(kNttLogTile);
    if (direction == NttDirection::kInverse) {
        root = root.inverse();
        block_root = block_root.inverse();
    }
    device.recorder().dispatch(kernel::ntt_roots, groups_for(kernel::ntt_roots, words),
                               {words_.address(), root.montgomery(), block_root.montgomery(), log_order, 0});
    device.recorder().next_stage();
}

unsigned num_ntt_passes(unsigned log_n) {
    return num_strided_passes(log_n) + 1;
}

void record_encode(Recorder& recorder, const NttRoots& roots, const NttColumns& messages, const NttColumns& codewords,
                   unsigned log_n, unsigned log_blowup) {
    NttParams params = make_params(roots, messages, codewords, log_n, log_blowup);
    // A message that stays where it is can be read by many groups, so that few tiles still fill a device.
    const std::uint64_t message_tiles = num_tiles(params.num_columns, log_n);
    std::uint32_t coset_groups = 1;
    while (params.in != params.out && coset_groups < 1u << log_blowup && coset_groups * message_tiles < kEnoughGroups) {
        coset_groups *= 2;
    }
    const auto record = [&](const Kernel<NttParams>& kernel) {
        const bool is_first = params.done == 0;
        params.coset_groups = is_first ? coset_groups : 1;
        recorder.dispatch(kernel,
                          is_first ? coset_groups * message_tiles : num_tiles(params.num_columns, log_n + log_blowup),
                          params);
        recorder.next_stage();
    };
    for (unsigned pass = 0; pass < num_strided_passes(log_n); ++pass, params.done += kNttLogStrided) {
        record(kernel::ntt_strided);
    }
    record(kernel::ntt_blocks);
}

void record_inverse_ntt(Recorder& recorder, const NttRoots& roots, const NttColumns& evals, const NttColumns& coeffs,
                        unsigned log_n) {
    NttParams params = make_params(roots, evals, coeffs, log_n, 0);
    params.done = num_strided_passes(log_n) * kNttLogStrided;
    params.scale = Fp::half().pow(log_n).montgomery();
    recorder.dispatch(kernel::ntt_inverse_blocks, num_tiles(params.num_columns, log_n), params);
    recorder.next_stage();
    while (params.done != 0) {
        params.done -= kNttLogStrided;
        recorder.dispatch(kernel::ntt_inverse_strided, num_tiles(params.num_columns, log_n), params);
        recorder.next_stage();
    }
}

}  // namespace whorl::gpu
