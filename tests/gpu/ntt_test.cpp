// Transforms on a device against the host's.
#include "backend/gpu/ntt.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "field/simd.hpp"
#include "gpu/devices.hpp"
#include "transforms/ntt.hpp"
#include "unit/random.hpp"

namespace whorl::gpu {
namespace {

std::vector<std::uint32_t> random_words(std::size_t count) {
    test::Random random;
    std::vector<std::uint32_t> words;
    for (const Fp x : random.fps(count)) words.push_back(x.montgomery());
    return words;
}

// The same on the host: columns of 2^log_n coefficients, one after another, to codewords.
std::vector<std::uint32_t> encode_on_host(const std::vector<std::uint32_t>& messages, std::size_t num_columns,
                                          unsigned log_n, unsigned log_blowup) {
    const std::size_t n = std::size_t{1} << log_n, rows = n << log_blowup;
    std::vector<std::uint32_t> out;
    for (std::size_t c = 0; c < num_columns; ++c) {
        std::vector<std::uint32_t> column(padded_size(rows));
        std::copy_n(messages.begin() + static_cast<std::ptrdiff_t>(c * n), n,
                    column.begin() + static_cast<std::ptrdiff_t>(rows - n));
        reed_solomon_encode(column.data(), log_n, log_blowup);
        out.insert(out.end(), column.begin(), column.begin() + static_cast<std::ptrdiff_t>(rows));
    }
    return out;
}

// Columns `stride` words apart, dense.
std::vector<std::uint32_t> gather_columns(const std::vector<std::uint32_t>& words, std::size_t num_columns,
                                          std::size_t stride, std::size_t rows) {
    std::vector<std::uint32_t> out;
    for (std::size_t c = 0; c < num_columns; ++c) {
        const auto begin = words.begin() + static_cast<std::ptrdiff_t>(c * stride);
        out.insert(out.end(), begin, begin + static_cast<std::ptrdiff_t>(rows));
    }
    return out;
}

struct Shape {
    unsigned log_n, log_blowup;
    std::uint32_t num_columns;
};

class NttShapes : public testing::TestWithParam<Shape> {};

TEST_P(NttShapes, EncodesAsTheHostDoes) {
    const auto [log_n, log_blowup, num_columns] = GetParam();
    const std::size_t n = std::size_t{1} << log_n, rows = n << log_blowup;
    const std::vector<std::uint32_t> messages = random_words(num_columns * n);
    const std::vector<std::uint32_t> expected = encode_on_host(messages, num_columns, log_n, log_blowup);
    // A table for larger transforms serves smaller ones.
    for (const unsigned log_order : {log_n + log_blowup, log_n + log_blowup + 3}) {
        on_devices([&](Device& device) {
            Recorder& recorder = device.recorder();
            const std::size_t stride = rows + 8;
            const Buffer codewords = device.arena().take_words("codewords", num_columns * stride);
            const NttRoots roots(device, log_order, NttDirection::kForward);
            const NttColumns in{recorder.upload(messages), n, 1, num_columns};
            record_encode(recorder, roots, in, {codewords.address(), stride, 1, num_columns}, log_n, log_blowup);
            recorder.submit(1 + num_ntt_passes(log_n));
            const auto words = read_back<std::uint32_t>(device, codewords.address(), num_columns * stride);
            if (device.is_planning()) return;
            EXPECT_TRUE(gather_columns(words, num_columns, stride, rows) == expected);
        });
    }
}

TEST_P(NttShapes, EncodesWhereTheMessageIs) {
    const auto [log_n, log_blowup, num_columns] = GetParam();
    const std::size_t n = std::size_t{1} << log_n, rows = n << log_blowup, stride = std::max<std::size_t>(rows, 4);
    const std::vector<std::uint32_t> messages = random_words(num_columns * n);
    on_devices([&](Device& device) {
        Recorder& recorder = device.recorder();
        const Buffer codewords = device.arena().take_words("codewords", num_columns * stride);
        const NttRoots roots(device, log_n + log_blowup, NttDirection::kForward);
        for (std::uint32_t c = 0; c < num_columns; ++c) {
            recorder.upload_to(codewords.word(c * stride), messages.data() + c * n, 4 * n);
        }
        recorder.next_stage();
        const NttColumns columns{codewords.address(), stride, 1, num_columns};
        record_encode(recorder, roots, columns, columns, log_n, log_blowup);
        recorder.submit(1 + num_ntt_passes(log_n));
        const auto words = read_back<std::uint32_t>(device, codewords.address(), num_columns * stride);
        if (device.is_planning()) return;
        EXPECT_TRUE(gather_columns(words, num_columns, stride, rows) ==
                    encode_on_host(messages, num_columns, log_n, log_blowup));
    });
}

INSTANTIATE_TEST_SUITE_P(Sizes, NttShapes,
                         testing::Values(Shape{0, 0, 1}, Shape{0, 2, 3}, Shape{1, 1, 5}, Shape{2, 0, 3}, Shape{3, 1, 7},
                                         Shape{5, 2, 4}, Shape{8, 1, 70}, Shape{10, 3, 3}, Shape{12, 1, 3},
                                         Shape{13, 0, 2}, Shape{13, 1, 2}, Shape{14, 1, 1}, Shape{16, 2, 2},
                                         Shape{18, 1, 1}),
                         [](const auto& test) {
                             return "LogN" + std::to_string(test.param.log_n) + "Blowup" +
                                    std::to_string(test.param.log_blowup) + "Columns" +
                                    std::to_string(test.param.num_columns);
                         });

// Forward and back again, in place.
void expect_roundtrip(Device& device, unsigned log_n) {
    SCOPED_TRACE(log_n);
    const std::size_t n = std::size_t{1} << log_n;
    const std::vector<std::uint32_t> coefficients = random_words(n);
    Recorder& recorder = device.recorder();
    const Buffer words = device.arena().take_words("words", n);
    const NttRoots forward(device, log_n, NttDirection::kForward);
    const NttRoots inverse(device, log_n, NttDirection::kInverse);
    recorder.upload_to(words.address(), coefficients.data(), 4 * n);
    recorder.next_stage();
    const NttColumns columns{words.address(), n, 1, 1};
    record_encode(recorder, forward, columns, columns, log_n, 0);
    record_inverse_ntt(recorder, inverse, columns, columns, log_n);
    recorder.submit(2 + 2 * num_ntt_passes(log_n));
    const auto found = read_back<std::uint32_t>(device, words.address(), n);
    if (device.is_planning()) return;
    EXPECT_TRUE(found == coefficients);
}

TEST(Ntt, ntt_roundtrip) {
    for (unsigned log_n = 0; log_n <= 20; ++log_n) {
        on_devices([&](Device& device) { expect_roundtrip(device, log_n); });
    }
}

TEST(Ntt, ntt_roundtrip_up_to_2e27) {
    for (unsigned log_n = 21; log_n <= Fp::kTwoAdicity; ++log_n) {
        auto runtime = cuda_runtime();
        if (runtime == nullptr) GTEST_SKIP() << "sizes above 2^20 are for real GPUs, and there is none";
        on_device(std::move(runtime), [&](Device& device) { expect_roundtrip(device, log_n); });
    }
}

TEST(Ntt, ReadsOneCoordinateOfExtensionElements) {
    constexpr unsigned kLogN = 14, kLogBlowup = 1;
    const std::size_t n = std::size_t{1} << kLogN, rows = n << kLogBlowup;
    const std::vector<std::uint32_t> planes = random_words(4 * n);
    std::vector<std::uint32_t> elements(4 * n);
    for (std::size_t i = 0; i < 4 * n; ++i) elements[i % n * 4 + i / n] = planes[i];
    on_devices([&](Device& device) {
        Recorder& recorder = device.recorder();
        const Buffer codewords = device.arena().take_words("codewords", 4 * rows);
        const NttRoots roots(device, kLogN + kLogBlowup, NttDirection::kForward);
        record_encode(recorder, roots, {recorder.upload(elements), 1, 4, 4}, {codewords.address(), rows, 1, 4}, kLogN,
                      kLogBlowup);
        recorder.submit(1 + num_ntt_passes(kLogN));
        const auto words = read_back<std::uint32_t>(device, codewords.address(), 4 * rows);
        if (device.is_planning()) return;
        EXPECT_TRUE(words == encode_on_host(planes, 4, kLogN, kLogBlowup));
    });
}

}  // namespace
}  // namespace whorl::gpu
