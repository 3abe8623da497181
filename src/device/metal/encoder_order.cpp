#include "device/metal/encoder_order.hpp"

#include <algorithm>

namespace whorl::gpu::metal {
namespace {

bool overlap(const std::vector<Range>& left, const std::vector<Range>& right) {
    return std::ranges::any_of(left, [&](const Range& a) {
        return std::ranges::any_of(right, [&](const Range& b) { return a.first < b.end && b.first < a.end; });
    });
}

}  // namespace

bool Accesses::conflicts_with(const Accesses& later) const {
    return overlap(writes, later.reads) || overlap(writes, later.writes) || overlap(reads, later.writes);
}

MTL::Fence* EncoderOrder::add(const Accesses& accesses) {
    if (spare_.empty()) spare_.push_back(NS::TransferPtr(device_.newFence()));
    open_.push_back({std::move(spare_.back()), accesses});
    spare_.pop_back();
    return open_.back().fence.get();
}

void EncoderOrder::clear() {
    for (Open& open : open_) spare_.push_back(std::move(open.fence));
    open_.clear();
}

}  // namespace whorl::gpu::metal
