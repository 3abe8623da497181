// Which encoders must wait for which.
//
// Metal tracks none of our memory, so encoders may run side by side or overtake each other unless fences order them. What
// each reads and writes decides.
#pragma once

#include <vector>

#include "device/metal/objects.hpp"
#include "device/runtime.hpp"

namespace whorl::gpu::metal {

/// Addresses from `first` to before `end`.
struct Range {
    Address first = 0, end = 0;
};
/// Wherever there is memory.
inline constexpr Range kEverywhere{0, ~Address{0}};

/// What an encoder's commands do with memory.
struct Accesses {
    std::vector<Range> reads, writes;

    void clear() {
        reads.clear();
        writes.clear();
    }
    /// Whether `later` may not start before this is done.
    bool conflicts_with(const Accesses& later) const;
};

class EncoderOrder {
public:
    explicit EncoderOrder(MTL::Device& device) : device_(device) {}

    /// Makes a new encoder (compute or blit) wait for those that its accesses conflict with.
    template <class Encoder>
    void begin(Encoder& encoder, const Accesses& accesses) {
        stands_for_all_ = open_.size() == kMaxOpen;
        for (const Open& earlier : open_) {
            if (stands_for_all_ || earlier.accesses.conflicts_with(accesses)) {
                encoder.waitForFence(earlier.fence.get());
            }
        }
        if (stands_for_all_) clear();
    }
    /// The encoder has been given all its commands.
    template <class Encoder>
    void end(Encoder& encoder, const Accesses& accesses) {
        encoder.updateFence(add(stands_for_all_ ? kAll : accesses));
    }
    /// All encoders are done.
    void clear();

private:
    // Encoders that a later one may have to wait for; with more, the next waits for all, and all later ones for that.
    static constexpr std::size_t kMaxOpen = 16;
    static inline const Accesses kAll{.reads = {kEverywhere}, .writes = {kEverywhere}};

    struct Open {
        Ref<MTL::Fence> fence;
        Accesses accesses;
    };
    MTL::Fence* add(const Accesses& accesses);

    MTL::Device& device_;
    std::vector<Open> open_;
    bool stands_for_all_ = false;  // the encoder that has begun
    std::vector<Ref<MTL::Fence>> spare_;
};

}  // namespace whorl::gpu::metal
