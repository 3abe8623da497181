#include "device/metal/library.hpp"

#include <dispatch/dispatch.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <vector>

namespace whorl::gpu::metal {
namespace {

Ref<MTL::Library> compile(MTL::Device& device, const std::string& text) {
    const AutoreleasePool pool;
    const auto options = NS::TransferPtr(MTL::CompileOptions::alloc()->init());
    options->setLanguageVersion(MTL::LanguageVersion3_0);
    NS::Error* error = nullptr;
    auto library = NS::TransferPtr(device.newLibrary(ns_string(text), options.get(), &error));
    if (!library) throw DeviceError("Metal cannot compile the kernels: " + text_of(error));
    return library;
}

Ref<MTL::Library> load(MTL::Device& device, std::span<const std::byte> compiled) {
    const AutoreleasePool pool;
    const dispatch_data_t data =
        dispatch_data_create(compiled.data(), compiled.size(), nullptr, DISPATCH_DATA_DESTRUCTOR_DEFAULT);
    NS::Error* error = nullptr;
    auto library = NS::TransferPtr(device.newLibrary(data, &error));
    dispatch_release(data);
    if (!library) throw DeviceError("Metal cannot load the kernels: " + text_of(error));
    return library;
}

Ref<MTL::ComputePipelineState> make_pipeline(MTL::Device& device, MTL::Library& library, const KernelInfo& kernel) {
    const AutoreleasePool pool;
    const auto function = NS::TransferPtr(library.newFunction(ns_string(kernel.name)));
    if (!function) throw DeviceError(fmt::format("no kernel \"{}\"", kernel.name));
    NS::Error* error = nullptr;
    auto pipeline = NS::TransferPtr(device.newComputePipelineState(function.get(), &error));
    if (!pipeline) throw DeviceError(fmt::format("kernel {} does not compile: {}", kernel.name, text_of(error)));
    if (pipeline->maxTotalThreadsPerThreadgroup() < kernel.threads) {
        throw DeviceError(fmt::format("kernel {} needs threadgroups of {} threads, this GPU runs it in at most {}",
                                      kernel.name, kernel.threads, pipeline->maxTotalThreadsPerThreadgroup()));
    }
    if (pipeline->staticThreadgroupMemoryLength() > device.maxThreadgroupMemoryLength()) {
        throw DeviceError(fmt::format("kernel {} needs {} bytes of threadgroup memory, this GPU has {}", kernel.name,
                                      pipeline->staticThreadgroupMemoryLength(), device.maxThreadgroupMemoryLength()));
    }
    return pipeline;
}

bool is_compiling_asked_for() {
    const char* value = std::getenv("WHORL_METAL_COMPILE");
    return value != nullptr && std::string_view(value) == "1";
}

}  // namespace

Library::Library(MTL::Device& device, const std::string& text)
    : device_(NS::RetainPtr(&device)), library_(compile(device, text)) {}

Library::Library(MTL::Device& device, std::span<const std::byte> compiled)
    : device_(NS::RetainPtr(&device)), library_(load(device, compiled)) {}

Ref<MTL::ComputePipelineState> Library::pipeline(const KernelInfo& kernel) {
    const std::lock_guard lock(mutex_);
    const auto known = pipelines_.find(std::string_view(kernel.name));
    if (known != pipelines_.end()) return known->second;
    return pipelines_.emplace(kernel.name, make_pipeline(*device_.get(), *library_.get(), kernel)).first->second;
}

std::shared_ptr<Library> library_of(MTL::Device& device, const KernelText& kernels) {
    static std::mutex mutex;
    // By registryID and text.
    static std::map<std::pair<std::uint64_t, const char*>, std::weak_ptr<Library>> libraries;
    const std::lock_guard lock(mutex);
    std::weak_ptr<Library>& known = libraries[{device.registryID(), kernels.text.data()}];
    std::shared_ptr<Library> library = known.lock();
    if (library == nullptr) {
        library = kernels.library.empty() || is_compiling_asked_for()
                      ? std::make_shared<Library>(device, std::string(kernels.text))
                      : std::make_shared<Library>(device, kernels.library);
        known = library;
    }
    return library;
}

// -----------------------------------------------------------------------------------------------------------------

// What outlives a compilation that is given up.
struct LibraryCompilation::Shared {
    Ref<MTL::Device> device;
    std::string text;
    std::vector<std::string> names;
    std::vector<KernelInfo> kernels;  // with those names

    std::mutex mutex;  // of the rest
    State state = State::kUnderWay;
    std::string problem;
    std::vector<Ref<MTL::ComputePipelineState>> pipelines;  // as kernels

    void run() {
        std::vector<Ref<MTL::ComputePipelineState>> made;
        std::string failure;
        try {
            const Ref<MTL::Library> library = compile(*device.get(), text);
            for (const KernelInfo& kernel : kernels)
                made.push_back(make_pipeline(*device.get(), *library.get(), kernel));
        } catch (const DeviceError& e) {
            failure = e.what();
        }
        const std::lock_guard lock(mutex);
        pipelines = std::move(made);
        problem = failure;
        state = failure.empty() ? State::kReady : State::kFailed;
    }
};

LibraryCompilation::LibraryCompilation(MTL::Device& device, std::string text, std::span<const KernelInfo> kernels)
    : shared_(std::make_shared<Shared>()) {
    shared_->device = NS::RetainPtr(&device);
    shared_->text = std::move(text);
    shared_->kernels.assign(kernels.begin(), kernels.end());
    for (const KernelInfo& kernel : kernels) shared_->names.emplace_back(kernel.name);
    for (std::size_t i = 0; i < kernels.size(); ++i) shared_->kernels[i].name = shared_->names[i].c_str();
    std::thread([shared = shared_] { shared->run(); }).detach();
}

Compilation::State LibraryCompilation::state() {
    const std::lock_guard lock(shared_->mutex);
    return shared_->state;
}

std::string LibraryCompilation::problem() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->problem;
}

Ref<MTL::ComputePipelineState> LibraryCompilation::pipeline(const KernelInfo& kernel) const {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->state != State::kReady) return {};
    const auto at = std::ranges::find(shared_->kernels, std::string_view(kernel.name), &KernelInfo::name);
    return at != shared_->kernels.end() ? shared_->pipelines[static_cast<std::size_t>(at - shared_->kernels.begin())]
                                        : Ref<MTL::ComputePipelineState>();
}

}  // namespace whorl::gpu::metal
