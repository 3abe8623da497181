// eq(xs, ·) of a point on the device, as two heaps from which kernels make any entry with one product (kernels/eq.h).
#pragma once

#include <cstdint>
#include <span>

#include "backend/gpu/device.hpp"
#include "backend/gpu/kernels.hpp"

namespace whorl::gpu {

class EqHeaps {
public:
    /// Kernels that the constructor records.
    static constexpr std::int64_t kNumKernels = 2;

    EqHeaps(Device& device, std::span<const Fp4> xs) : EqHeaps(device, xs, static_cast<std::uint32_t>(xs.size() / 2)) {}
    EqHeaps(Device& device, std::span<const Fp4> xs, std::uint32_t num_low)
        : num_low_(num_low),
          num_vars_(static_cast<std::uint32_t>(xs.size())),
          low_(make(device, xs.first(num_low_))),
          high_(make(device, xs.subspan(num_low_))) {}

    Address low() const { return low_.address(); }
    Address high() const { return high_.address(); }
    std::uint32_t num_low() const { return num_low_; }
    std::uint32_t num_vars() const { return num_vars_; }

    /// Records out[i] = eq(xs, i): one kernel, in a later stage.
    void write_table(Device& device, Address out) const {
        device.recorder().dispatch(kernel::eq_table, groups_for(kernel::eq_table, std::uint64_t{1} << num_vars_),
                                   {out, low(), high(), num_low_, num_vars_});
    }

private:
    static Buffer make(Device& device, std::span<const Fp4> xs) {
        const std::uint64_t size = std::uint64_t{2} << xs.size();
        Buffer heap = device.arena().take_exts("eq_heap", size);
        device.recorder().dispatch(
            kernel::eq_heap, groups_for(kernel::eq_heap, size),
            {heap.address(), device.recorder().upload(xs), static_cast<std::uint32_t>(xs.size()), 0});
        return heap;
    }

    std::uint32_t num_low_;
    std::uint32_t num_vars_;
    Buffer low_, high_;
};

}  // namespace whorl::gpu
