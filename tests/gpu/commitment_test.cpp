// Commitments on a device against the CPU backend's: roots, rows and paths.
#include "backend/gpu/commitment.hpp"
#include "backend/gpu/resident.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include <whorl/task.hpp>

#include "backend/cpu/commitment.hpp"
#include "backend/cpu/tile.hpp"
#include "field/simd.hpp"
#include "gpu/devices.hpp"
#include "transforms/ntt.hpp"
#include "unit/random.hpp"
#include "vectors.hpp"

namespace whorl::gpu {
namespace {

// Some leaves of 2^log_leaves, the first and last among them, one twice.
std::vector<std::uint32_t> some_leaves(unsigned log_leaves) {
    test::Random random;
    const std::uint32_t num_leaves = std::uint32_t{1} << log_leaves;
    std::vector<std::uint32_t> leaves{0, num_leaves - 1, num_leaves / 2, 0};
    for (unsigned i = 0; i < 9; ++i) leaves.push_back(random.below(num_leaves));
    return leaves;
}

std::vector<cpu::StackedCommitment> commit_on_cpu(const ProverInput& input) {
    std::vector<cpu::StackedCommitment> commitments;
    for (const CommitmentLayout& layout : input.layout.commitments) {
        const auto matrix_at = [&](std::uint32_t i) { return &input.part(layout.parts[i]); };
        commitments.emplace_back(input.params(), layout.stack, cpu::words_of_slices(layout.stack, matrix_at), nullptr);
    }
    return commitments;
}

// `max_buffer` other than 0: on simulated devices with that limit.
void expect_same_commitments(const ProverInput& input, const CommitTuning& tuning = {}, std::uint64_t max_buffer = 0) {
    const std::vector<cpu::StackedCommitment> expected = commit_on_cpu(input);
    const unsigned k = input.params().whir.k;
    const std::vector<std::uint32_t> leaves = some_leaves(input.params().log_codeword_height() - k);
    const auto work = [&](Device& device) {
        const NttRoots roots(device, input.params().log_codeword_height(), NttDirection::kForward);
        device.recorder().submit(1);
        const Residents residents(device);
        const DeviceTraces traces(device, residents, input);
        const StackedCommitments commitments(device, roots, traces, residents, input, tuning);
        const auto opened = commitments.open(leaves);
        if (device.is_planning()) return;
        ASSERT_EQ(opened.size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            SCOPED_TRACE(testing::Message() << "commitment " << i);
            EXPECT_EQ(commitments.root(i), expected[i].root());
            const std::vector<cpu::LeafRows> rows = expected[i].rows_of(leaves, nullptr);
            for (std::size_t q = 0; q < leaves.size(); ++q) {
                EXPECT_EQ(opened[i].paths[q], expected[i].path(leaves[q]));
                EXPECT_EQ(opened[i].rows[q], rows[q]);
            }
        }
    };
    if (max_buffer == 0) return on_devices(work);
    for (const bool is_unified : {true, false}) {
        on_device(sim::make_runtime({.max_buffer = max_buffer, .is_unified = is_unified}), work);
    }
}

class CommitsVector : public testing::TestWithParam<std::string> {};

TEST_P(CommitsVector, AsTheCpuDoes) {
    const Task task = test::value_of(load_task(test::vector_path(GetParam(), "")));
    expect_same_commitments(make_prover_input(task.vk, task.traces, nullptr));
}

INSTANTIATE_TEST_SUITE_P(Vectors, CommitsVector,
                         testing::Values("cached", "fib_height_1", "interactions", "keccak_5_perms", "mixture",
                                         "mixture_l_skip_5", "preprocessed_and_cached"),
                         [](const auto& test) { return test.param; });

// Traces of random words; part widths and log heights are all that commitments look at.
struct Part {
    unsigned log_height;
    std::uint32_t common_main;
    std::vector<std::uint32_t> cached_mains;
};
struct Shape {
    std::string name;
    unsigned l_skip, n_stack, log_blowup, k;
    std::vector<Part> parts;
    std::uint64_t codeword_bytes = std::uint64_t{128} << 20;
    std::uint64_t max_buffer = 0;
};

class CommitsShape : public testing::TestWithParam<Shape> {};

TEST_P(CommitsShape, AsTheCpuDoes) {
    const Shape& shape = GetParam();
    VerifyingKey vk;
    vk.params.l_skip = shape.l_skip;
    vk.params.n_stack = shape.n_stack;
    vk.params.log_blowup = shape.log_blowup;
    vk.params.whir.k = shape.k;
    test::Random random;
    const auto matrix = [&](std::uint32_t width, unsigned log_height) {
        const std::size_t height = std::size_t{1} << log_height;
        return Matrix(random.fps(width * height), width, height);
    };
    std::vector<AirTrace> traces;
    for (const Part& part : shape.parts) {
        AirVerifyingKey& air = vk.airs.emplace_back();
        air.width.common_main = part.common_main;
        air.width.cached_mains = part.cached_mains;
        AirTrace& trace = traces.emplace_back();
        trace.air_id = static_cast<std::uint32_t>(traces.size() - 1);
        trace.common_main = matrix(part.common_main, part.log_height);
        for (const std::uint32_t width : part.cached_mains) {
            trace.cached_mains.emplace_back(matrix(width, part.log_height));
        }
    }
    expect_same_commitments(make_prover_input(vk, traces, nullptr), {.codeword_bytes = shape.codeword_bytes},
                            shape.max_buffer);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, CommitsShape,
    testing::Values(Shape{"OneColumn", 2, 3, 1, 2, {{5, 1, {}}}}, Shape{"NoCommonMain", 2, 3, 1, 2, {{3, 0, {2}}}},
                    Shape{"NoSkipDomain", 0, 6, 1, 2, {{6, 3, {}}, {2, 5, {}}, {0, 3, {}}}},
                    Shape{"SkipDomainOfTwo", 1, 6, 2, 3, {{6, 3, {4}}, {1, 5, {}}, {0, 3, {}}}},
                    Shape{"SkipDomainOfEight", 3, 5, 1, 1, {{8, 3, {4}}, {3, 5, {}}, {1, 9, {1}}, {0, 3, {}}}},
                    Shape{"LeavesOfOneRow", 3, 5, 1, 0, {{8, 9, {}}, {5, 3, {}}}},
                    Shape{"OneLeaf", 2, 2, 1, 5, {{4, 9, {}}}},
                    Shape{"SmallestCode", 0, 1, 1, 1, {{1, 2, {}}, {0, 3, {}}}},
                    Shape{"ColumnGroups", 4, 6, 1, 4, {{10, 13, {17}}, {8, 30, {}}, {6, 7, {}}, {3, 11, {}}}, 1},
                    Shape{"LargerColumnGroups", 4, 6, 1, 4, {{10, 40, {}}}, 16 * 4 * 2048},
                    Shape{"ManyGroupsOfFullBlocks", 4, 4, 2, 3, {{8, 32, {}}}, 1},
                    Shape{"LargeSkipDomain", 6, 4, 1, 2, {{9, 3, {4}}, {7, 5, {}}, {3, 5, {}}, {0, 3, {}}}},
                    Shape{"LargestSkipDomain", 10, 2, 1, 4, {{11, 3, {}}, {10, 3, {}}, {4, 2, {}}}},
                    Shape{"TracesCutBetweenColumns", 3, 6, 1, 2, {{6, 3000, {}}, {5, 300, {2000}}}, 1, 200'000},
                    Shape{"StridedTransform", 4, 11, 1, 4, {{14, 5, {}}, {9, 3, {}}}}),
    [](const auto& test) { return test.param.name; });

class ExtCodewords : public testing::TestWithParam<std::array<unsigned, 3>> {};

TEST_P(ExtCodewords, OpenAsTheCpusDo) {
    const auto [log_n, log_blowup, k] = GetParam();
    const unsigned log_rows = log_n + log_blowup;
    const std::size_t n = std::size_t{1} << log_n, rows = std::size_t{1} << log_rows;
    const std::vector<Fp4> coeffs = test::Random().fp4s(n);
    const std::size_t stride = padded_size(rows);
    cpu::WordBuffer words(4 * stride);
    for (std::size_t c = 0; c < 4; ++c) {
        std::uint32_t* plane = words.data() + c * stride;
        for (std::size_t i = 0; i < n; ++i) plane[rows - n + i] = coeffs[i].c[c].montgomery();
        reed_solomon_encode(plane, log_n, log_blowup);
    }
    const cpu::CodeMatrix expected(std::move(words), 4, stride, log_rows, k, nullptr);
    const std::vector<std::uint32_t> leaves = some_leaves(log_rows - k);
    on_devices([&](Device& device) {
        const Buffer elements = device.arena().take_exts("coeffs", n);
        device.recorder().upload_to(elements.address(), coeffs.data(), 16 * n);
        device.recorder().next_stage();
        const NttRoots roots(device, log_rows + 2, NttDirection::kForward);
        const ExtCodeword codeword(device, roots, elements.address(), log_n, log_blowup, k, 1);
        const OpenedLeaves<Fp4> opened = codeword.open(leaves);
        if (device.is_planning()) return;
        EXPECT_EQ(codeword.root(), expected.root());
        for (std::size_t q = 0; q < leaves.size(); ++q) {
            EXPECT_EQ(opened.paths[q], expected.path(leaves[q]));
            for (std::size_t j = 0; j < std::size_t{1} << k; ++j) {
                const std::vector<Fp> row = expected.leaf_row(leaves[q], j);
                EXPECT_EQ(opened.rows[q][j], Fp4(row[0], row[1], row[2], row[3]));
            }
        }
    });
}

INSTANTIATE_TEST_SUITE_P(Sizes, ExtCodewords,
                         testing::Values(std::array{0u, 2u, 1u}, std::array{4u, 3u, 2u}, std::array{9u, 2u, 4u},
                                         std::array{14u, 1u, 4u}));

TEST(Message, OfExtensionElements) {
    for (const unsigned l : {0u, 1u, 2u, 3u, 4u, 5u, 7u, 10u}) {
        SCOPED_TRACE(l);
        const std::size_t count = std::size_t{3} << l;
        const std::vector<Fp4> elements = test::Random().fp4s(count);
        std::vector<Fp4> expected(count);
        for (std::size_t c = 0; c < 4; ++c) {
            std::vector<std::uint32_t> plane(padded_size(count));
            for (std::size_t i = 0; i < count; ++i) plane[i] = elements[i].c[c].montgomery();
            cpu::SkipDomain(l).to_message(plane.data(), 3);
            for (std::size_t i = 0; i < count; ++i) expected[i].c[c] = Fp::from_montgomery(plane[i]);
        }
        on_devices([&](Device& device) {
            const Buffer buffer = device.arena().take_exts("elements", count);
            device.recorder().upload_to(buffer.address(), elements.data(), 16 * count);
            device.recorder().next_stage();
            record_message(device.recorder(), l, buffer.address(), count);
            device.recorder().submit(num_message_kernels(l));
            const auto found = read_back<Fp4>(device, buffer.address(), count);
            if (device.is_planning()) return;
            EXPECT_EQ(found, expected);
        });
    }
}

}  // namespace
}  // namespace whorl::gpu
