#include "backend/gpu/traces.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace whorl::gpu {

DeviceTraces::DeviceTraces(Device& device, const ProverInput& input) : device_(device), input_(input) {
    for (std::uint32_t t = 0; t < input.traces.size(); ++t) {
        for (const PartRef& part : input.parts(t)) {
            parts_[{t, part.kind, part.cached}] = bring(input.part(part));
        }
    }
    if (!buffers_.empty()) device.recorder().submit_and_wait(0);
}

DeviceTraces::Part DeviceTraces::bring(const Matrix& matrix) {
    static_assert(sizeof(Fp) == sizeof(std::uint32_t));
    const std::uint64_t column_bytes = matrix.height() * sizeof(Fp);
    const std::uint64_t max_bytes = device_.info().max_buffer;
    if (max_bytes != 0 && column_bytes > max_bytes) {
        throw DeviceError(fmt::format("a trace column of {} rows has {} bytes, {} takes at most {} in one buffer",
                                      matrix.height(), column_bytes, device_.info().id, max_bytes));
    }
    Part part;
    part.num_columns = matrix.width();
    part.columns_per_piece = max_bytes != 0 ? max_bytes / column_bytes : std::max<std::size_t>(matrix.width(), 1);
    for (std::size_t c = 0; c < matrix.width(); c += part.columns_per_piece) {
        const std::size_t num_columns = std::min(part.columns_per_piece, matrix.width() - c);
        part.pieces.push_back(bring(matrix.column(c).data(), num_columns * column_bytes));
    }
    return part;
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

Address DeviceTraces::column(const PartRef& part, std::size_t column) const {
    const Part& whole = pieces(part);
    return whole.pieces.at(column / whole.columns_per_piece) +
           column % whole.columns_per_piece * 4 * (std::uint64_t{1} << input_.log_height(part.trace));
}

std::size_t DeviceTraces::num_adjacent(const PartRef& part, std::size_t column) const {
    const Part& whole = pieces(part);
    const std::size_t end_of_piece = (column / whole.columns_per_piece + 1) * whole.columns_per_piece;
    return std::min(end_of_piece, whole.num_columns) - column;
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
