#include "device/cuda/staging.hpp"

#include <algorithm>
#include <cstring>

#include "threads/parallel.hpp"

namespace whorl::gpu::cuda {
namespace {

// A thread's share; less is not worth waking one.
constexpr std::uint64_t kGrainBytes = std::uint64_t{256} << 10;

void copy_on_all_threads(std::byte* destination, const std::byte* source, std::uint64_t bytes) {
    for_each_part(tbb::blocked_range<std::uint64_t>(0, bytes, kGrainBytes), [&](const auto& range) {
        std::memcpy(destination + range.begin(), source + range.begin(), range.size());
    });
}

}  // namespace

Staging::Staging(cudaStream_t stream) : stream_(stream), memory_(make_pinned(kNumSlots * kSlotBytes)) {
    for (Event& event : fetched_) event = make_event();
}

void Staging::next_slot() {
    check(cudaEventRecord(fetched_[slot_].get(), stream_), "uploading");
    slot_ = (slot_ + 1) % kNumSlots;
    filled_ = 0;
    check(cudaEventSynchronize(fetched_[slot_].get()), "uploading");
}

void Staging::upload(Address destination, const std::byte* host, std::uint64_t bytes) {
    while (bytes != 0) {
        if (filled_ == kSlotBytes) next_slot();
        std::byte* const staged = memory_.get() + slot_ * kSlotBytes + filled_;
        const std::uint64_t size = std::min(bytes, kSlotBytes - filled_);
        copy_on_all_threads(staged, host, size);
        check(cudaMemcpyAsync(reinterpret_cast<void*>(destination), staged, size, cudaMemcpyHostToDevice, stream_),
              "uploading");
        filled_ += size;
        destination += size;
        host += size;
        bytes -= size;
    }
}

}  // namespace whorl::gpu::cuda
