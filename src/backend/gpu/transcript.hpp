// The transcript of a GPU backend: the sponge runs on the host, the search for witnesses on the device.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/gpu/device.hpp"
#include "hash/transcript.hpp"

namespace whorl::gpu {

/// The smallest witness for `num_bits` bits; `transcript` is left as it was.
Fp find_pow_witness(Device& device, const HostTranscript& transcript, unsigned num_bits);

class GpuTranscript {
public:
    explicit GpuTranscript(Device& device) : device_(&device) {}

    void observe(Fp value) { host_.observe(value); }
    void observe_ext(const Fp4& value) { host_.observe_ext(value); }
    void observe_hash(const Digest& hash) { host_.observe(hash); }
    Fp4 sample_ext() { return host_.sample_ext(); }
    std::vector<std::uint32_t> sample_indices(unsigned num_bits, std::uint32_t count);
    Fp grind(unsigned num_bits);

private:
    Device* device_;
    HostTranscript host_;
};

}  // namespace whorl::gpu
