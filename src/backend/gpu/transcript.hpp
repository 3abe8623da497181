// The transcript of a GPU backend: the sponge runs on the host, the search for witnesses on the device.
#pragma once

#include <cstdint>
#include <vector>

#include <whorl/transcript.hpp>

#include "backend/gpu/device.hpp"

namespace whorl::gpu {

/// The smallest witness for `num_bits` bits; `transcript` is left as it was.
Fp find_pow_witness(Device& device, const Transcript& transcript, unsigned num_bits);

class GpuTranscript {
public:
    GpuTranscript(Device& device, const Transcript& host) : device_(&device), host_(host) {}

    const Transcript& host() const { return host_; }

    void observe(Fp value) { host_.observe(value); }
    void observe_ext(const Fp4& value) { host_.observe_ext(value); }
    void observe_hash(const Digest& hash) { host_.observe(hash); }
    Fp4 sample_ext() { return host_.sample_ext(); }
    std::vector<std::uint32_t> sample_indices(unsigned num_bits, std::uint32_t count);
    Fp grind(unsigned num_bits);

private:
    Device* device_;
    Transcript host_;
};

}  // namespace whorl::gpu
