// The fake Metal runtime, used as host code uses Metal: kernels compute, and every liberty that Metal takes shows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#define NS_PRIVATE_IMPLEMENTATION
#define MTL_PRIVATE_IMPLEMENTATION
#include <Metal/Metal.hpp>

#include "fake/fake_metal.hpp"

namespace {

using fake_metal::Options;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kOrder = 2013265921;  // of the field
constexpr std::uint32_t kStale = 0xA5A5A5A5;  // what fresh memory holds
constexpr MTL::ResourceOptions kShared = MTL::ResourceStorageModeShared | MTL::ResourceHazardTrackingModeUntracked;
constexpr MTL::ResourceOptions kPrivate = MTL::ResourceStorageModePrivate | MTL::ResourceHazardTrackingModeUntracked;
constexpr std::uint64_t kLongWaitMs = 60000;

// Small kernels whose effects depend on the order in which they run.
constexpr const char* kSmallKernels = R"(
#include <metal_stdlib>
using namespace metal;
struct StepParams {
    ulong at;
    uint value;
    uint pad;
};
#define WH_STEP_KERNEL(name)                                                                  \
    [[max_total_threads_per_threadgroup(32)]] kernel void name(                               \
        constant StepParams& p [[buffer(0)]], uint index [[thread_index_in_threadgroup]])
WH_STEP_KERNEL(set_word) {
    if (index == 0) reinterpret_cast<device uint*>(p.at)[0] = p.value;
}
WH_STEP_KERNEL(append_digit) {
    if (index == 0) reinterpret_cast<device uint*>(p.at)[0] = 10 * reinterpret_cast<device uint*>(p.at)[0] + p.value;
}
WH_STEP_KERNEL(copy_stale) {
    threadgroup uint words[32];
    reinterpret_cast<device uint*>(p.at)[index] = words[index];
}
WH_STEP_KERNEL(uneven_barrier) {
    if (index < p.value) threadgroup_barrier(mem_flags::mem_threadgroup);
}
WH_STEP_KERNEL(reverse_words) {
    threadgroup uint words[32];
    device uint* at = reinterpret_cast<device uint*>(p.at);
    words[index] = at[index];
    threadgroup_barrier(mem_flags::mem_threadgroup);
    at[index] = words[31 - index];
}
)";

struct StepParams {
    std::uint64_t at;
    std::uint32_t value, pad;
};

NS::String* string(const std::string& text) {
    return NS::String::string(text.c_str(), NS::UTF8StringEncoding);
}

std::string kernel_text() {
    std::ifstream file(WHORL_KERNEL_TEXT);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string text_of(NS::Error* error) {
    return error != nullptr ? error->localizedDescription()->utf8String() : "";
}

/// A device with a queue and pipelines, and what every test needs of them.
class Metal {
public:
    explicit Metal(const std::string& text = kSmallKernels) {
        NS::Error* error = nullptr;
        auto* options = MTL::CompileOptions::alloc()->init();
        options->setLanguageVersion(MTL::LanguageVersion3_0);
        library_ = NS::TransferPtr(device->newLibrary(string(text), options, &error));
        options->release();
        if (!library_) throw std::runtime_error(text_of(error));
    }

    /// Null where there is none.
    MTL::ComputePipelineState* pipeline(const char* kernel) {
        auto& pipeline = pipelines_[kernel];
        if (!pipeline) {
            auto function = NS::TransferPtr(library_->newFunction(string(kernel)));
            NS::Error* error = nullptr;
            pipeline = NS::TransferPtr(device->newComputePipelineState(function.get(), &error));
        }
        return pipeline.get();
    }
    NS::SharedPtr<MTL::Buffer> buffer(std::uint64_t bytes, MTL::ResourceOptions options, const char* label) {
        auto made = NS::TransferPtr(device->newBuffer(bytes, options));
        made->setLabel(string(label));
        return made;
    }
    template <class Params>
    void dispatch(MTL::ComputeCommandEncoder* encoder, const char* kernel, const Params& params,
                  std::uint64_t groups = 1) {
        auto* state = pipeline(kernel);
        encoder->setComputePipelineState(state);
        encoder->setBytes(&params, sizeof(params), 0);
        encoder->dispatchThreadgroups(MTL::Size(groups, 1, 1), MTL::Size(state->maxTotalThreadsPerThreadgroup(), 1, 1));
    }
    /// An encoder for one kernel on one buffer.
    void encode(MTL::CommandBuffer* commands, const char* kernel, MTL::Buffer* on, std::uint32_t value,
                MTL::Fence* wait = nullptr, MTL::Fence* update = nullptr) {
        auto* encoder = commands->computeCommandEncoder();
        encoder->setLabel(string(kernel));
        if (wait != nullptr) encoder->waitForFence(wait);
        encoder->useResource(on, MTL::ResourceUsageRead | MTL::ResourceUsageWrite);
        dispatch(encoder, kernel, StepParams{on->gpuAddress(), value, 0});
        if (update != nullptr) encoder->updateFence(update);
        encoder->endEncoding();
    }
    /// Commits, waits and returns the error's text.
    static std::string finish(MTL::CommandBuffer* commands) {
        commands->commit();
        commands->waitUntilCompleted();
        EXPECT_EQ(commands->status() == MTL::CommandBufferStatusError, commands->error() != nullptr);
        return text_of(commands->error());
    }

    NS::SharedPtr<MTL::Device> device = NS::TransferPtr(MTL::CreateSystemDefaultDevice());
    NS::SharedPtr<MTL::CommandQueue> queue = NS::TransferPtr(device->newCommandQueue());

private:
    NS::SharedPtr<MTL::Library> library_;
    std::map<std::string, NS::SharedPtr<MTL::ComputePipelineState>> pipelines_;
};

std::uint32_t* words_of(const NS::SharedPtr<MTL::Buffer>& buffer) {
    return static_cast<std::uint32_t*>(buffer->contents());
}

class FakeMetal : public testing::Test {
protected:
    void SetUp() override { fake_metal::set_options({}); }
    void TearDown() override {
        pool_.reset();
        fake_metal::set_options({});
        EXPECT_THAT(fake_metal::live_objects(), ElementsAre());
    }

private:
    NS::SharedPtr<NS::AutoreleasePool> pool_ = NS::TransferPtr(NS::AutoreleasePool::alloc()->init());
};

/// In death tests, so that the process that dies has its own.
#define EXPECT_MISUSE(statement, message) EXPECT_EXIT(statement, testing::ExitedWithCode(99), message)

using Ext = std::array<std::uint32_t, 4>;  // an extension element, in Montgomery form

struct FoldPairsParams {
    std::uint64_t in, out, count;
    Ext r;
};
struct SumStridedParams {
    std::uint64_t in, out, count, first_step, step;
};

std::uint32_t to_montgomery(std::uint64_t value) {
    return static_cast<std::uint32_t>((value << 32) % kOrder);
}

TEST_F(FakeMetal, KernelsComputeWhatTheHostDoes) {
    constexpr std::uint32_t kCount = 1000;
    Metal metal(kernel_text());
    auto in = metal.buffer(2 * kCount * sizeof(Ext), kShared, "in");
    auto out = metal.buffer(kCount * sizeof(Ext), kShared, "out");
    auto sums = metal.buffer(2 * sizeof(Ext), kShared, "sums");
    for (std::uint32_t i = 0; i < 2 * kCount; ++i) {
        const Ext value = {to_montgomery(i * i), to_montgomery(7 * i), to_montgomery(i + 3), 0};
        std::memcpy(words_of(in) + 4 * i, value.data(), sizeof(value));
    }
    auto* commands = metal.queue->commandBuffer();
    auto* encoder = commands->computeCommandEncoder();
    const MTL::Resource* read[] = {in.get()};
    const MTL::Resource* written[] = {out.get(), sums.get()};
    encoder->useResources(read, 1, MTL::ResourceUsageRead);
    encoder->useResources(written, 2, MTL::ResourceUsageWrite);
    metal.dispatch(encoder, "fold_pairs",
                   FoldPairsParams{in->gpuAddress(), out->gpuAddress(), kCount, {to_montgomery(5), 0, 0, 0}},
                   (kCount + 255) / 256);
    // Group g sums the elements 3g, 3g + 2, …
    metal.dispatch(encoder, "sum_strided", SumStridedParams{in->gpuAddress(), sums->gpuAddress(), 900, 3, 2}, 2);
    encoder->endEncoding();
    EXPECT_EQ(Metal::finish(commands), "");
    EXPECT_GT(commands->GPUEndTime(), commands->GPUStartTime());

    for (std::uint64_t i = 0; i < kCount; ++i) {
        const std::uint64_t low = 4 * i * i, high = (2 * i + 1) * (2 * i + 1);
        ASSERT_EQ(words_of(out)[4 * i], to_montgomery((low + 5 * (high - low)) % kOrder)) << i;
        ASSERT_EQ(words_of(out)[4 * i + 1], to_montgomery(7 * (2 * i + 5))) << i;
    }
    for (std::uint64_t g = 0; g < 2; ++g) {
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < 900; ++i) sum += (3 * g + 2 * i) * (3 * g + 2 * i);
        EXPECT_EQ(words_of(sums)[4 * g], to_montgomery(sum % kOrder)) << g;
    }
}

TEST_F(FakeMetal, LibraryIsCompiledOnce) {
    Metal first;
    const auto before = fake_metal::counts();
    Metal second;
    EXPECT_EQ(fake_metal::counts().libraries, before.libraries + 1);
    EXPECT_EQ(fake_metal::counts().compilations, before.compilations);
}

TEST_F(FakeMetal, PipelineSaysWhatTheTextSays) {
    Metal metal(kernel_text());
    const auto* pipeline = metal.pipeline("sum_strided");
    EXPECT_EQ(pipeline->maxTotalThreadsPerThreadgroup(), 256u);
    EXPECT_EQ(pipeline->threadExecutionWidth(), 32u);
    EXPECT_EQ(pipeline->staticThreadgroupMemoryLength(), 4096u);
    EXPECT_EQ(metal.device->maxThreadsPerThreadgroup().width, 1024u);
    EXPECT_TRUE(metal.device->supportsFamily(MTL::GPUFamilyMetal3));
    EXPECT_TRUE(metal.device->supportsFamily(MTL::GPUFamilyApple7));
    EXPECT_FALSE(metal.device->supportsFamily(MTL::GPUFamilyApple8));
}

TEST_F(FakeMetal, TextWithErrorsHasTheCompilersMessage) {
    auto device = NS::TransferPtr(MTL::CreateSystemDefaultDevice());
    NS::Error* error = nullptr;
    EXPECT_EQ(device->newLibrary(MTLSTR("kernel void f() { undeclared(); }"), nullptr, &error), nullptr);
    EXPECT_THAT(text_of(error), HasSubstr("undeclared"));
}

TEST_F(FakeMetal, AlteredTextIsWhatRuns) {
    Options options;
    options.alter_text = [](std::string text) { return text.replace(text.find("= p.value;"), 10, "= p.value + 1;"); };
    fake_metal::set_options(options);
    Metal metal;
    auto buffer = metal.buffer(4, kShared, "word");
    auto* commands = metal.queue->commandBuffer();
    metal.encode(commands, "set_word", buffer.get(), 5);
    EXPECT_EQ(Metal::finish(commands), "");
    EXPECT_EQ(*words_of(buffer), 6u);
}

TEST_F(FakeMetal, CompilersFailures) {
    Metal metal;
    Options options;
    options.failing_pipeline = "set_word";
    fake_metal::set_options(options);
    EXPECT_EQ(metal.pipeline("set_word"), nullptr);
    options.compile_error = "it crashed";
    fake_metal::set_options(options);
    EXPECT_THROW(Metal(), std::runtime_error);
}

TEST_F(FakeMetal, ResultsAreStaleUntilWaitedFor) {
    Metal metal;
    auto buffer = metal.buffer(4, kShared, "word");
    auto event = NS::TransferPtr(metal.device->newSharedEvent());
    auto* commands = metal.queue->commandBuffer();
    metal.encode(commands, "set_word", buffer.get(), 5);
    commands->encodeSignalEvent(event.get(), 1);
    commands->commit();
    EXPECT_EQ(*words_of(buffer), kStale);
    EXPECT_EQ(event->signaledValue(), 0u);
    EXPECT_EQ(*words_of(buffer), kStale);
    EXPECT_TRUE(event->waitUntilSignaledValue(1, kLongWaitMs));
    EXPECT_EQ(*words_of(buffer), 5u);
    commands->waitUntilCompleted();
}

TEST_F(FakeMetal, PollingGetsThereInTheEnd) {
    Metal metal;
    auto buffer = metal.buffer(4, kShared, "word");
    auto* commands = metal.queue->commandBuffer();
    metal.encode(commands, "set_word", buffer.get(), 5);
    commands->commit();
    int polls = 0;
    while (commands->status() != MTL::CommandBufferStatusCompleted) ++polls;
    EXPECT_GT(polls, 0);
    EXPECT_EQ(*words_of(buffer), 5u);
}

TEST_F(FakeMetal, EagerDeviceHasSeenTheHostsBytesAtCommit) {
    Options options;
    for (const bool is_eager : {true, false}) {
        options.is_eager = is_eager;
        fake_metal::set_options(options);
        Metal metal;
        auto buffer = metal.buffer(4, kShared, "word");
        *words_of(buffer) = 1;
        auto* commands = metal.queue->commandBuffer();
        metal.encode(commands, "append_digit", buffer.get(), 2);
        commands->commit();
        *words_of(buffer) = 7;
        commands->waitUntilCompleted();
        EXPECT_EQ(*words_of(buffer), is_eager ? 7u : 72u);
    }
}

TEST_F(FakeMetal, HostSignalsWhatTheDeviceWaitsFor) {
    Metal metal;
    auto buffer = metal.buffer(4, kShared, "word");
    auto event = NS::TransferPtr(metal.device->newSharedEvent());
    auto* commands = metal.queue->commandBuffer();
    commands->encodeWait(event.get(), 1);
    metal.encode(commands, "set_word", buffer.get(), 5);
    commands->encodeSignalEvent(event.get(), 2);
    commands->commit();
    EXPECT_FALSE(event->waitUntilSignaledValue(2, 1));
    event->setSignaledValue(1);
    EXPECT_TRUE(event->waitUntilSignaledValue(2, kLongWaitMs));
    commands->waitUntilCompleted();
    EXPECT_EQ(*words_of(buffer), 5u);
}

/// What two encoders, which append 1 and 2 to a word that is 0, make of it.
std::uint32_t append_in_two_encoders(MTL::ResourceOptions options, bool has_fence, bool in_one_command_buffer) {
    Metal metal;
    auto buffer = metal.buffer(4, options, "word");
    auto fence = NS::TransferPtr(metal.device->newFence());
    *words_of(buffer) = 0;
    auto* first = metal.queue->commandBuffer();
    metal.encode(first, "append_digit", buffer.get(), 1, nullptr, fence.get());
    auto* second = first;
    if (!in_one_command_buffer) {
        first->commit();
        second = metal.queue->commandBuffer();
    }
    metal.encode(second, "append_digit", buffer.get(), 2, has_fence ? fence.get() : nullptr);
    EXPECT_EQ(Metal::finish(second), "");
    first->waitUntilCompleted();
    return *words_of(buffer);
}

TEST_F(FakeMetal, EncodersAreOrderedByFencesAlone) {
    for (const bool in_one : {true, false}) {
        EXPECT_EQ(append_in_two_encoders(kShared, true, in_one), 12u);
        EXPECT_EQ(append_in_two_encoders(kShared, false, in_one), 21u);
        EXPECT_EQ(append_in_two_encoders(MTL::ResourceStorageModeShared, false, in_one), 12u) << "tracked by Metal";
    }
}

/// What three dispatches of one encoder append, with barriers between them or without.
std::uint32_t append_in_one_encoder(MTL::DispatchType type, bool has_barriers) {
    Metal metal;
    auto buffer = metal.buffer(4, kShared, "word");
    *words_of(buffer) = 0;
    auto* commands = metal.queue->commandBuffer();
    auto* encoder = commands->computeCommandEncoder(type);
    encoder->useResource(buffer.get(), MTL::ResourceUsageRead | MTL::ResourceUsageWrite);
    for (const std::uint32_t digit : {1u, 2u, 3u}) {
        metal.dispatch(encoder, "append_digit", StepParams{buffer->gpuAddress(), digit, 0});
        if (has_barriers) encoder->memoryBarrier(MTL::BarrierScopeBuffers);
    }
    encoder->endEncoding();
    EXPECT_EQ(Metal::finish(commands), "");
    return *words_of(buffer);
}

TEST_F(FakeMetal, ConcurrentDispatchesAreOrderedByBarriersAlone) {
    EXPECT_EQ(append_in_one_encoder(MTL::DispatchTypeSerial, false), 123u);
    EXPECT_EQ(append_in_one_encoder(MTL::DispatchTypeConcurrent, true), 123u);
    EXPECT_EQ(append_in_one_encoder(MTL::DispatchTypeConcurrent, false), 321u);
    std::set<std::uint32_t> seen;
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
        Options options;
        options.seed = seed;
        fake_metal::set_options(options);
        seen.insert(append_in_one_encoder(MTL::DispatchTypeConcurrent, false));
        EXPECT_EQ(append_in_one_encoder(MTL::DispatchTypeConcurrent, true), 123u);
    }
    EXPECT_GT(seen.size(), 2u);
}

/// The error of a kernel that writes to `address` while `buffer` is resident for `usage` (0: not at all).
std::string error_of_write(std::uint64_t offset, MTL::ResourceUsage usage) {
    Metal metal;
    auto buffer = metal.buffer(1024, kPrivate, "arena");
    auto* commands = metal.queue->commandBuffer();
    auto* encoder = commands->computeCommandEncoder();
    if (usage != 0) encoder->useResource(buffer.get(), usage);
    metal.dispatch(encoder, "set_word", StepParams{buffer->gpuAddress() + offset, 5, 0});
    encoder->endEncoding();
    return Metal::finish(commands);
}

TEST_F(FakeMetal, KernelsReachWhatIsResident) {
    EXPECT_EQ(error_of_write(0, MTL::ResourceUsageWrite), "");
    EXPECT_EQ(error_of_write(0, 0), "kernel set_word: buffer 'arena' not made resident");
    EXPECT_EQ(error_of_write(0, MTL::ResourceUsageRead),
              "kernel set_word: buffer 'arena' written though declared read");
    EXPECT_EQ(error_of_write(1024, MTL::ResourceUsageWrite),
              "kernel set_word: outside of every buffer: written 1 bytes behind the last of buffer 'arena'");
    EXPECT_THAT(error_of_write(std::uint64_t{1} << 40, MTL::ResourceUsageWrite), HasSubstr("outside of every buffer"));
}

TEST_F(FakeMetal, ErrorsNameTheEncoder) {
    Metal metal;
    auto good = metal.buffer(4, kShared, "good");
    auto fence = NS::TransferPtr(metal.device->newFence());
    auto* descriptor = MTL::CommandBufferDescriptor::alloc()->init();
    descriptor->setErrorOptions(MTL::CommandBufferErrorOptionEncoderExecutionStatus);
    auto* commands = metal.queue->commandBuffer(descriptor);
    descriptor->release();
    metal.encode(commands, "set_word", good.get(), 5, nullptr, fence.get());
    auto* encoder = commands->computeCommandEncoder();
    encoder->setLabel(MTLSTR("bad one"));
    encoder->waitForFence(fence.get());
    metal.dispatch(encoder, "append_digit", StepParams{good->gpuAddress(), 5, 0});
    encoder->endEncoding();
    EXPECT_THAT(Metal::finish(commands), HasSubstr("append_digit: buffer 'good' not made resident"));
    EXPECT_EQ(commands->error()->code(), static_cast<NS::Integer>(MTL::CommandBufferErrorPageFault));
    const auto* infos = commands->error()->userInfo()->object<NS::Array>(MTL::CommandBufferEncoderInfoErrorKey);
    ASSERT_EQ(infos->count(), 2u);
    const auto* first = infos->object<MTL::CommandBufferEncoderInfo>(0);
    const auto* second = infos->object<MTL::CommandBufferEncoderInfo>(1);
    EXPECT_EQ(first->errorState(), MTL::CommandEncoderErrorStateCompleted);
    EXPECT_STREQ(second->label()->utf8String(), "bad one");
    EXPECT_EQ(second->errorState(), MTL::CommandEncoderErrorStateFaulted);
}

TEST_F(FakeMetal, FailureTakesTheQueueAlong) {
    Metal metal;
    auto buffer = metal.buffer(4, kShared, "word");
    auto fence = NS::TransferPtr(metal.device->newFence());
    auto event = NS::TransferPtr(metal.device->newSharedEvent());
    Options options;
    options.failing_kernel = "set_word";
    options.failure = fake_metal::CommandBufferError::kTimeout;
    options.longest_wait_ms = 20;
    fake_metal::set_options(options);
    auto* first = metal.queue->commandBuffer();
    metal.encode(first, "set_word", buffer.get(), 5, nullptr, fence.get());
    first->commit();
    auto* second = metal.queue->commandBuffer();
    metal.encode(second, "append_digit", buffer.get(), 5, fence.get());
    second->encodeSignalEvent(event.get(), 1);
    second->commit();
    EXPECT_FALSE(event->waitUntilSignaledValue(1, kLongWaitMs));
    EXPECT_EQ(first->error()->code(), static_cast<NS::Integer>(MTL::CommandBufferErrorTimeout));
    EXPECT_THAT(text_of(second->error()), HasSubstr("ignored"));
}

TEST_F(FakeMetal, ThreadgroupMemoryAndBarriers) {
    Metal metal;
    auto buffer = metal.buffer(128, kShared, "words");
    auto* commands = metal.queue->commandBuffer();
    metal.encode(commands, "copy_stale", buffer.get(), 0);
    EXPECT_EQ(Metal::finish(commands), "");
    EXPECT_EQ(words_of(buffer)[31], kStale);

    for (std::uint32_t i = 0; i < 32; ++i) words_of(buffer)[i] = i;
    commands = metal.queue->commandBuffer();
    metal.encode(commands, "reverse_words", buffer.get(), 0);
    EXPECT_EQ(Metal::finish(commands), "");
    for (std::uint32_t i = 0; i < 32; ++i) EXPECT_EQ(words_of(buffer)[i], 31 - i);

    commands = metal.queue->commandBuffer();
    metal.encode(commands, "uneven_barrier", buffer.get(), 20);
    EXPECT_EQ(Metal::finish(commands),
              "kernel uneven_barrier: 12 of 32 threads of a group ended while the others wait at a barrier");
}

TEST_F(FakeMetal, BlitsAndWrappedMemory) {
    constexpr std::size_t kPage = 16384;
    Metal metal;
    auto* host = static_cast<std::uint32_t*>(std::aligned_alloc(kPage, kPage));
    host[1] = 42;
    {
        auto wrapped = NS::TransferPtr(metal.device->newBuffer(host, kPage, kShared, nullptr));
        EXPECT_EQ(wrapped->contents(), host);
        auto arena = metal.buffer(64, kPrivate, "arena");
        auto back = metal.buffer(64, kShared, "back");
        auto* commands = metal.queue->commandBuffer();
        auto* blit = commands->blitCommandEncoder();
        blit->fillBuffer(arena.get(), NS::Range(0, 64), 1);
        blit->copyFromBuffer(wrapped.get(), 4, arena.get(), 8, 4);
        blit->copyFromBuffer(arena.get(), 0, back.get(), 0, 64);
        blit->endEncoding();
        EXPECT_EQ(Metal::finish(commands), "");
        EXPECT_EQ(words_of(back)[1], 0x01010101u);
        EXPECT_EQ(words_of(back)[2], 42u);
        EXPECT_EQ(fake_metal::num_live_buffers(), 3u);
        EXPECT_EQ(metal.device->currentAllocatedSize(), kPage + 128);
    }
    EXPECT_EQ(fake_metal::num_live_buffers(), 0u);
    std::free(host);
}

TEST_F(FakeMetal, WrappedMemoryIsGuardedLikeAllOther) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    Metal metal;
    auto* host = static_cast<std::uint32_t*>(std::aligned_alloc(page, page));
    {
        // Twice the same memory: two buffers, at addresses of their own.
        auto wrapped = NS::TransferPtr(metal.device->newBuffer(host, page, kShared, nullptr));
        auto other = NS::TransferPtr(metal.device->newBuffer(host, page, kShared, nullptr));
        EXPECT_NE(wrapped->gpuAddress(), other->gpuAddress());
        wrapped->setLabel(MTLSTR("trace"));
        auto* commands = metal.queue->commandBuffer();
        auto* encoder = commands->computeCommandEncoder();
        encoder->useResource(wrapped.get(), MTL::ResourceUsageRead);
        metal.dispatch(encoder, "set_word", StepParams{wrapped->gpuAddress(), 5, 0});
        encoder->endEncoding();
        EXPECT_EQ(Metal::finish(commands), "kernel set_word: buffer 'trace' written though declared read");
    }
    std::free(host);
}

TEST_F(FakeMetal, MemoryRunsOut) {
    Options options;
    options.memory = 1 << 20;
    fake_metal::set_options(options);
    Metal metal;
    auto half = metal.buffer(1 << 19, kPrivate, "half");
    EXPECT_EQ(metal.device->newBuffer((1 << 19) + 1, kPrivate), nullptr);
    EXPECT_EQ(metal.device->recommendedMaxWorkingSetSize(), 1u << 20);
}

TEST_F(FakeMetal, CaptureWritesItsFile) {
    const auto path = std::filesystem::temp_directory_path() / ("fake-metal-" + std::to_string(getpid()) + ".gputrace");
    Metal metal;
    auto* manager = MTL::CaptureManager::sharedCaptureManager();
    auto descriptor = NS::TransferPtr(MTL::CaptureDescriptor::alloc()->init());
    descriptor->setCaptureObject(metal.queue.get());
    descriptor->setDestination(MTL::CaptureDestinationGPUTraceDocument);
    descriptor->setOutputURL(NS::URL::fileURLWithPath(string(path.string())));
    NS::Error* error = nullptr;
    EXPECT_FALSE(manager->startCapture(descriptor.get(), &error));
    EXPECT_THAT(text_of(error), HasSubstr("not supported"));
    setenv("MTL_CAPTURE_ENABLED", "1", 1);
    EXPECT_TRUE(manager->supportsDestination(MTL::CaptureDestinationGPUTraceDocument));
    EXPECT_TRUE(manager->startCapture(descriptor.get(), &error));
    manager->stopCapture();
    unsetenv("MTL_CAPTURE_ENABLED");
    EXPECT_TRUE(std::filesystem::remove(path));
}

TEST_F(FakeMetal, LeaksAreCounted) {
    auto device = NS::TransferPtr(MTL::CreateSystemDefaultDevice());
    auto* leaked = device->newFence();
    EXPECT_THAT(fake_metal::live_objects(), testing::Contains("MTLFence"));
    leaked->release();
    EXPECT_THAT(fake_metal::live_objects(), testing::Not(testing::Contains("MTLFence")));
}

using FakeMetalDeathTest = FakeMetal;

TEST_F(FakeMetalDeathTest, Objects) {
    Metal metal;
    EXPECT_MISUSE(
        {
            auto* fence = metal.device->newFence();
            fence->release();
            fence->release();
        },
        "release of a dead MTLFence|message 'release' to a dead MTLFence");
    EXPECT_MISUSE(
        {
            auto* event = metal.device->newSharedEvent();
            event->release();
            event->signaledValue();
        },
        "message 'signaledValue' to a dead MTLSharedEvent");
    EXPECT_MISUSE(metal.device->newDefaultLibrary(), "MTLDevice does not understand 'newDefaultLibrary'");
    EXPECT_MISUSE(metal.queue->commandBuffer()->encodeWait(reinterpret_cast<MTL::Event*>(metal.queue.get()), 1),
                  "an argument is a MTLCommandQueue");
}

TEST(FakeMetalPoolDeathTest, AutoreleaseNeedsAPool) {
    EXPECT_MISUSE(string("nowhere"), "autorelease of a NSString without an NSAutoreleasePool");
}

TEST_F(FakeMetalDeathTest, Buffers) {
    Metal metal;
    alignas(16384) static char pages[2 * 16384];
    EXPECT_MISUSE(metal.device->newBuffer(0, kShared), "no bytes");
    EXPECT_MISUSE(metal.device->newBuffer(std::uint64_t{1} << 60, kShared), "at most");
    EXPECT_MISUSE(metal.device->newBuffer(pages + 64, 16384, kShared, nullptr), "not whole pages");
    EXPECT_MISUSE(metal.device->newBuffer(pages, 100, kShared, nullptr), "not whole pages");
    EXPECT_MISUSE(metal.buffer(4, kPrivate, "arena")->contents(), "contents of buffer 'arena', which is private");
}

TEST_F(FakeMetalDeathTest, Encoding) {
    Metal metal;
    auto buffer = metal.buffer(64, kShared, "words");
    auto* commands = metal.queue->commandBuffer();
    auto* state = metal.pipeline("set_word");
    const StepParams params{buffer->gpuAddress(), 1, 0};
    const MTL::Size one(1, 1, 1);
    auto* encoder = commands->computeCommandEncoder();
    EXPECT_MISUSE(encoder->dispatchThreadgroups(one, one), "without a pipeline");
    EXPECT_MISUSE(encoder->setBytes(&params, 5000, 0), "5000 bytes, at most 4096");
    EXPECT_MISUSE(commands->commit(), "while an encoder is open");
    EXPECT_MISUSE(commands->computeCommandEncoder(), "while an encoder is open");
    encoder->setComputePipelineState(state);
    EXPECT_MISUSE(encoder->dispatchThreadgroups(one, one), "nothing is bound to buffer\\(0\\)");
    encoder->setBytes(&params, sizeof(params), 0);
    EXPECT_MISUSE(encoder->dispatchThreadgroups(MTL::Size(0, 1, 1), one), "the grid is empty");
    EXPECT_MISUSE(encoder->dispatchThreadgroups(one, MTL::Size(33, 1, 1)), "33 threads in a threadgroup, at most 32");
    encoder->endEncoding();
    EXPECT_MISUSE(encoder->endEncoding(), "endEncoding after endEncoding");
    EXPECT_MISUSE(commands->waitUntilCompleted(), "before commit");
    auto* blit = commands->blitCommandEncoder();
    EXPECT_MISUSE(blit->copyFromBuffer(buffer.get(), 0, buffer.get(), 32, 64), "64 bytes at 32 of buffer 'words'");
    EXPECT_MISUSE(blit->fillBuffer(buffer.get(), NS::Range(0, 6), 0), "not multiples of 4");
    blit->endEncoding();
    EXPECT_EQ(Metal::finish(commands), "");
    EXPECT_MISUSE(commands->commit(), "twice");
    EXPECT_MISUSE(commands->computeCommandEncoder(), "after commit");
}

TEST_F(FakeMetalDeathTest, UnretainedBuffersMustLive) {
    Metal metal;
    EXPECT_MISUSE(
        {
            auto buffer = metal.buffer(64, kShared, "words");
            auto* commands = metal.queue->commandBufferWithUnretainedReferences();
            metal.encode(commands, "set_word", buffer.get(), 1);
            commands->commit();
            buffer.reset();
        },
        "a MTLBuffer is released while a command buffer that does not retain it uses it");
}

TEST_F(FakeMetalDeathTest, WaitsThatNeverEnd) {
    Metal metal;
    auto buffer = metal.buffer(64, kShared, "words");
    Options options;
    options.hanging_kernel = "set_word";
    fake_metal::set_options(options);
    EXPECT_MISUSE(
        {
            auto* commands = metal.queue->commandBuffer();
            metal.encode(commands, "set_word", buffer.get(), 1);
            Metal::finish(commands);
        },
        "would wait for ever");
}

}  // namespace
