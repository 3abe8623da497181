#include "cli/matrix_file.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "cli/file_kind.hpp"

namespace whorl::cli {

std::vector<std::byte> matrix_bytes(const Matrix& matrix) {
    std::vector<std::byte> bytes;
    bytes.reserve(matrix.values().size() * sizeof(std::uint32_t));
    for (const Fp x : matrix.values()) {
        for (unsigned shift = 0; shift < 32; shift += 8) bytes.push_back(std::byte(x.canonical() >> shift & 0xffU));
    }
    return bytes;
}

Result<Matrix> read_matrix(const Session& session, const std::string& path, std::size_t width) {
    constexpr std::string_view kContent = "a matrix of these columns";
    const std::uint64_t row_bytes = sizeof(std::uint32_t) * std::uint64_t{width};
    const Result<std::vector<std::byte>> bytes =
        session.read(path, {.max_bytes = row_bytes << Fp::kTwoAdicity, .content = kContent});
    if (!bytes) return bytes.error();
    const auto bad = [&](std::string message) {
        return Error{.code = ErrorCode::kBadFormat,
                     .stage = "matrix",
                     .message = shown_path(path, "standard input") + std::move(message)};
    };
    if (bytes->empty() || bytes->size() % row_bytes != 0) {
        return with_kind(bad(fmt::format(" has {} bytes, expected a multiple of {} (4 x width {})", bytes->size(),
                                         row_bytes, width)),
                         *bytes, kContent);
    }
    const std::size_t height = bytes->size() / row_bytes;
    Result<Matrix> matrix = Matrix::create(width, height);
    if (!matrix) return matrix;
    std::size_t at = 0;
    for (std::size_t i = 0; i < matrix->values().size(); ++i) {
        std::uint32_t word = 0;
        for (unsigned shift = 0; shift < 32; shift += 8)
            word |= std::to_integer<std::uint32_t>((*bytes)[at++]) << shift;
        if (word >= Fp::kModulus) {
            return bad(
                fmt::format(": column {}, row {} is {}, not below p = {}", i / height, i % height, word, Fp::kModulus));
        }
        matrix->values()[i] = Fp::from_canonical(word);
    }
    return matrix;
}

}  // namespace whorl::cli
