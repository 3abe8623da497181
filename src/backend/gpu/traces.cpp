#include "backend/gpu/traces.hpp"

namespace whorl::gpu {

DeviceTraces::DeviceTraces(Device& device, const ProverInput& input) : device_(device), input_(input) {
    for (std::uint32_t t = 0; t < input.traces.size(); ++t) {
        for (const PartRef& part : input.parts(t)) {
            const Matrix& matrix = input.part(part);
            static_assert(sizeof(Fp) == sizeof(std::uint32_t));
            const void* words = matrix.values().data();
            const std::uint64_t bytes = matrix.values().size() * sizeof(Fp);
            Address& address = parts_[{t, part.kind, part.cached}];
            if (!device.info().is_unified) {
                buffers_.push_back(device.arena().take_words("trace", bytes / 4));
                address = buffers_.back().address();
                device.recorder().upload_to(address, words, bytes);
            } else if (!device.is_planning()) {
                address = device.runtime().wrap(words, bytes);
                wrapped_.push_back(address);
            }
        }
    }
    if (!buffers_.empty()) device.recorder().submit_and_wait(0);
}

DeviceTraces::~DeviceTraces() {
    for (const Address address : wrapped_) device_.runtime().unbind(address);
}

Address DeviceTraces::column(const PartRef& part, std::size_t column) const {
    return parts_.at({part.trace, part.kind, part.cached}) +
           column * 4 * (std::uint64_t{1} << input_.log_height(part.trace));
}

Address DeviceTraces::column(std::uint32_t trace, const Variable& variable) const {
    const AirVerifyingKey& air = input_.air(trace);
    PartRef part{PartRef::Kind::kCommonMain, trace, 0};
    if (variable.entry == Variable::Entry::kPreprocessed) {
        part.kind = PartRef::Kind::kPreprocessed;
    } else if (variable.part_index < air.width.cached_mains.size()) {
        part.kind = PartRef::Kind::kCachedMain;
        part.cached = variable.part_index;
    }
    return column(part, variable.index);
}

}  // namespace whorl::gpu
