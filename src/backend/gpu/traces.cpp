#include "backend/gpu/traces.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "backend/gpu/resident.hpp"

namespace whorl::gpu {

std::size_t DeviceColumns::num_adjacent(std::size_t c) const {
    const std::size_t end_of_piece = (c / columns_per_piece + 1) * columns_per_piece;
    return std::min(end_of_piece, num_columns) - c;
}

DeviceColumns bring_columns(const DeviceInfo& device, const Matrix& matrix,
                            const std::function<Address(const void* words, std::uint64_t bytes)>& bring) {
    static_assert(sizeof(Fp) == sizeof(std::uint32_t));
    const std::uint64_t column_bytes = matrix.height() * sizeof(Fp);
    const std::uint64_t max_bytes = device.max_buffer;
    if (max_bytes != 0 && column_bytes > max_bytes) {
        throw DeviceError(fmt::format("a trace column of {} rows has {} bytes, {} takes at most {} in one buffer",
                                      matrix.height(), column_bytes, device.id, max_bytes));
    }
    DeviceColumns columns{
        .pieces = {},
        .columns_per_piece = max_bytes != 0 ? max_bytes / column_bytes : std::max<std::size_t>(matrix.width(), 1),
        .num_columns = matrix.width(),
        .column_bytes = column_bytes};
    for (std::size_t c = 0; c < matrix.width(); c += columns.columns_per_piece) {
        const std::size_t num_columns = std::min(columns.columns_per_piece, matrix.width() - c);
        columns.pieces.push_back(bring(matrix.column(c).data(), num_columns * column_bytes));
    }
    return columns;
}

DeviceTraces::DeviceTraces(Device& device, const Residents& residents, const ProverInput& input)
    : device_(device), input_(input) {
    for (std::uint32_t t = 0; t < input.traces.size(); ++t) {
        for (const PartRef& part : input.parts(t)) {
            const ResidentPart* resident = residents.find(input.committed(part));
            parts_[{t, part.kind, part.cached}] =
                resident != nullptr
                    ? resident->columns()
                    : bring_columns(device.info(), input.part(part),
                                    [&](const void* words, std::uint64_t bytes) { return bring(words, bytes); });
        }
    }
    if (!buffers_.empty()) device.recorder().submit_and_wait(0);
}

Address DeviceTraces::bring(const void* words, std::uint64_t bytes) {
    if (!device_.info().is_unified) {
        buffers_.push_back(device_.arena().take_words("trace", bytes / 4));
        device_.recorder().upload_to(buffers_.back().address(), words, bytes);
        return buffers_.back().address();
    }
    if (device_.is_planning()) return 0;
    wrapped_.push_back(device_.runtime().wrap(words, bytes));
    return wrapped_.back();
}

DeviceTraces::~DeviceTraces() {
    for (const Address address : wrapped_) device_.runtime().unbind(address);
}

}  // namespace whorl::gpu
