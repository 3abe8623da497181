#include "doctor/stage_order.hpp"

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <utility>

#include "backend/gpu/device.hpp"
#include "backend/gpu/kernels.hpp"

namespace whorl {
namespace {

constexpr std::uint32_t kNumBuffers = 6;
constexpr std::uint32_t kNumExts = 1u << 14;  // in a buffer
constexpr std::uint32_t kStagesPerSubmission = 16;
static_assert(kNumOrderedStages % kStagesPerSubmission == 0);

// Records stages over a few buffers.
class Drawing {
public:
    Drawing(gpu::Device& device, std::uint64_t seed) : recorder_(device.recorder()), random_(seed) {
        for (gpu::Buffer& buffer : buffers_) buffer = device.arena().take_exts("ordered", kNumExts);
    }

    void fill_all() {
        for (std::uint32_t b = 0; b < kNumBuffers; ++b)
            recorder_.fill(buffers_[b].address(), buffers_[b].bytes(), draw_byte());
    }

    /// One or two commands that do not touch what the other writes. Returns how many of them are kernels.
    std::uint32_t add_stage() {
        recorder_.next_stage();
        const std::uint32_t first = draw(kNumBuffers);
        std::uint32_t num_kernels = add_command(first, (first + 1) % kNumBuffers);
        if (draw(2) == 0) num_kernels += add_command((first + 3) % kNumBuffers, (first + 4 + draw(2)) % kNumBuffers);
        return num_kernels;
    }

    std::vector<std::uint32_t> read_back() {
        constexpr std::size_t kWords = std::size_t{kNumExts} * 4;
        const auto words = recorder_.mailbox<std::uint32_t>(kNumBuffers * kWords);
        for (std::uint32_t b = 0; b < kNumBuffers; ++b)
            recorder_.copy(words.address() + b * kWords * 4, buffers_[b].address(), kWords * 4);
        recorder_.submit_and_wait(0);
        return words.values();
    }

private:
    std::uint32_t draw(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }
    // Words of such bytes are field elements.
    std::uint8_t draw_byte() { return static_cast<std::uint8_t>(draw(0x78)); }

    std::uint32_t add_command(std::uint32_t source, std::uint32_t destination) {
        const gpu::Buffer& from = buffers_[source];
        const gpu::Buffer& to = buffers_[destination];
        // A part of the buffer, so that what was there before stays in sight.
        const std::uint64_t bytes = to.bytes() / 4 * (1 + draw(3));
        const std::uint64_t offset = draw(2) == 0 ? 0 : to.bytes() - bytes;
        switch (draw(4)) {
            case 0:
                recorder_.fill(to.address() + offset, bytes, draw_byte());
                return 0;
            case 1:
                recorder_.copy(to.address() + offset, from.address(), bytes);
                return 0;
            default: {
                const std::uint32_t count = kNumExts / 2;
                const Address out = to.address() + (draw(2) == 0 ? 0 : to.bytes() / 2);
                recorder_.dispatch(
                    gpu::kernel::fold_pairs, count / gpu::kernel::fold_pairs.info.threads,
                    {from.address(), out, count, {{draw_byte(), draw_byte(), draw_byte(), draw_byte()}}});
                return 1;
            }
        }
    }

    using Address = gpu::Address;

    gpu::Recorder& recorder_;
    std::mt19937_64 random_;
    std::array<gpu::Buffer, kNumBuffers> buffers_;
};

std::vector<std::uint32_t> run_once(gpu::Device& device, std::uint64_t seed) {
    Drawing drawing(device, seed);
    drawing.fill_all();
    for (std::uint32_t done = 0; done < kNumOrderedStages; done += kStagesPerSubmission) {
        std::uint32_t num_kernels = 0;
        for (std::uint32_t i = 0; i < kStagesPerSubmission; ++i) num_kernels += drawing.add_stage();
        device.recorder().submit(num_kernels);
    }
    return drawing.read_back();
}

}  // namespace

std::vector<std::uint32_t> run_ordered_stages(std::unique_ptr<gpu::Runtime> runtime, std::uint64_t seed) {
    gpu::Device device(std::move(runtime), Dispatch::kStaged);
    return device.plan_and_run([&] { return run_once(device, seed); });
}

}  // namespace whorl
