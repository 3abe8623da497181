#include "backend/gpu/traces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <new>

#include "backend/gpu/kernels.hpp"
#include "backend/gpu/resident.hpp"

namespace whorl::gpu {
namespace {

std::uint64_t bytes_of(const Matrix& matrix) {
    return std::uint64_t{matrix.width()} * matrix.height() * sizeof(Fp);
}

}  // namespace

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
        const void* words = matrix.is_on_device()
                                ? static_cast<const std::byte*>(matrix.device_memory().words) + c * column_bytes
                                : static_cast<const void*>(matrix.column(c).data());
        columns.pieces.push_back(bring(words, num_columns * column_bytes));
    }
    return columns;
}

std::string place_problem(const Device& device, const Matrix& matrix) {
    return device.runtime().memory_problem(matrix.device_memory(), bytes_of(matrix));
}

Matrix copy_to_host(Device& device, const Matrix& matrix) {
    constexpr std::uint64_t kMaxPiece = std::uint64_t{64} << 20;
    const std::uint64_t num_bytes = bytes_of(matrix);
    Matrix copy(matrix.width(), matrix.height());
    if (!copy.is_valid()) throw std::bad_alloc();
    auto* const out = reinterpret_cast<std::byte*>(copy.values().data());
    device.plan_and_run([&] {
        Recorder& recorder = device.recorder();
        const auto piece = recorder.mailbox<std::byte>(std::min(kMaxPiece, num_bytes));
        if (device.is_planning()) return;
        BoundAddresses bound(device.runtime());
        const Address source = bound.add(device.runtime().import(matrix.device_memory(), num_bytes));
        for (std::uint64_t at = 0; at < num_bytes; at += piece.size()) {
            const std::uint64_t size = std::min<std::uint64_t>(piece.size(), num_bytes - at);
            recorder.copy(piece.address(), source + at, size);
            recorder.submit_and_wait(0);
            piece.copy_to(out + at, size);
        }
    });
    return copy;
}

DeviceTraces::DeviceTraces(Device& device, const Residents& residents, const ProverInput& input)
    : device_(device), input_(input), wrapped_(device.runtime()) {
    for (std::uint32_t t = 0; t < input.traces.size(); ++t) {
        for (const PartRef& part : input.parts(t)) {
            const ResidentPart* resident = residents.find(input.committed(part));
            parts_[{t, part.kind, part.cached}] = resident != nullptr ? resident->columns() : bring_part(part);
        }
    }
    if (buffers_.empty() && word_checks_.empty()) return;
    device.recorder().submit_and_wait(static_cast<std::int64_t>(word_checks_.size()));
    require_elements();
}

DeviceColumns DeviceTraces::bring_part(const PartRef& part) {
    const Matrix& matrix = input_.part(part);
    return bring_columns(device_.info(), matrix, [&](const void* words, std::uint64_t bytes) {
        return matrix.is_on_device() ? import(part, {words, matrix.device_memory().stream}, bytes)
                                     : bring(words, bytes);
    });
}

Address DeviceTraces::import(const PartRef& part, const DeviceMemory& memory, std::uint64_t bytes) {
    // Enough groups to fill a GPU; few results for the host to look at.
    constexpr std::uint64_t kMaxGroups = 1024;
    Address address = 0;
    if (!device_.is_planning()) {
        address = wrapped_.add(device_.runtime().import(memory, bytes));
    }
    const std::uint64_t num_words = bytes / sizeof(Fp);
    const std::uint64_t num_groups = std::min(kMaxGroups, groups_for(kernel::find_non_elements, num_words));
    const auto found = device_.recorder().mailbox<std::uint32_t>(num_groups);
    device_.recorder().dispatch(kernel::find_non_elements, num_groups,
                                {.words = address, .found = found.address(), .count = num_words});
    word_checks_.push_back({part, found});
    return address;
}

void DeviceTraces::require_elements() const {
    for (const WordCheck& check : word_checks_) {
        const std::vector<std::uint32_t> found = check.found.values();
        if (std::ranges::all_of(found, [](std::uint32_t word) { return word == 0; })) continue;
        throw InputError(
            input_.layout.traces[check.part.trace].air_id,
            fmt::format("{}: expected field elements, found a word that is not below p", part_name(check.part)));
    }
}

Address DeviceTraces::bring(const void* words, std::uint64_t bytes) {
    if (!device_.info().is_unified) {
        buffers_.push_back(device_.arena().take_words("trace", bytes / 4));
        device_.recorder().upload_to(buffers_.back().address(), words, bytes);
        return buffers_.back().address();
    }
    if (device_.is_planning()) return 0;
    return wrapped_.add(device_.runtime().wrap(words, bytes));
}

}  // namespace whorl::gpu
