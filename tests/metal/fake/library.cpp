#include "library.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <thread>

#include "grid.hpp"
#include "state.hpp"

namespace fake_metal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLibraryErrors = "MTLLibraryErrorDomain";
constexpr std::int64_t kCompileFailure = 3;
constexpr std::int64_t kPipelineFailure = 2;

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// FNV-1a.
std::uint64_t hash(std::string_view text, std::uint64_t start = 0xCBF29CE484222325u) {
    for (const char c : text) start = (start ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
    return start;
}

/// Of the compiling script and of what it reads beside the text.
std::uint64_t hash_of_tool() {
    static const std::uint64_t value = [] {
        const fs::path folder = fs::path(WHORL_FAKE_METAL_COMPILER).parent_path();
        std::uint64_t sum = hash(WHORL_FAKE_METAL_SANITIZE);
        for (const char* name :
             {"msl_compile.py", "metal_lint.py", "shim/metal_stdlib", "fake/native.h", "fake/kernel_table.hpp"}) {
            sum = hash(read_file(folder / name), sum);
        }
        return sum;
    }();
    return value;
}

fs::path cache_folder() {
    const char* given = std::getenv("WHORL_FAKE_METAL_CACHE");
    return given != nullptr ? given : WHORL_FAKE_METAL_CACHE_FOLDER;
}

/// Runs a program with its messages going to a file; its exit code.
int run_program(std::vector<std::string> arguments, const fs::path& messages) {
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, messages.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    pid_t process = 0;
    const int refused = posix_spawnp(&process, pointers[0], &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    if (refused != 0 || waitpid(process, &status, 0) != process) misuse("cannot run {}", arguments[0]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// The library of a text, from the cache where it is in there. Empty where the text has errors; `messages` tells them.
fs::path compile(const std::string& text, std::string& messages) {
    const fs::path folder = cache_folder();
    fs::create_directories(folder);
    fs::path library = folder / fmt::format("{:016x}.so", hash(text, hash_of_tool()));
    if (fs::exists(library)) return library;

    // Other processes may be at the same text: each has files of its own and puts the finished one in place at once.
    static std::atomic<int> number = 0;
    const std::string own = (folder / fmt::format("{}-{}", getpid(), number++)).string();
    const std::string source = own + ".metal", output = own + ".so", log = own + ".log";
    std::ofstream(source, std::ios::binary) << text;
    std::vector<std::string> command = {
        WHORL_FAKE_METAL_PYTHON, "-B", WHORL_FAKE_METAL_COMPILER, "--text", source, "--output", output};
    if (*WHORL_FAKE_METAL_SANITIZE != '\0') command.insert(command.end(), {"--sanitize", WHORL_FAKE_METAL_SANITIZE});
    const int code = run_program(command, log);
    messages = read_file(log);
    fs::remove(source);
    fs::remove(log);
    if (code != 0) return {};
    fs::rename(output, library);
    ++atomic_counts().compilations;
    return library;
}

const KernelEntry* load(const fs::path& library) {
    void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) misuse("{}", dlerror());
    *static_cast<BarrierFunction*>(dlsym(handle, kBarrierSymbol)) = &wait_at_barrier;
    return static_cast<const KernelEntry*>(dlsym(handle, kKernelTableSymbol));
}

void sleep_while_compiling(std::uint32_t milliseconds) {
    if (milliseconds == kForever) {
        while (options().compile_ms == kForever) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    } else {
        std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    }
}

}  // namespace

void CompileOptions::set_language_version(std::uint64_t version) {
    constexpr std::uint64_t kOldest = 0x30000;  // 3.0: gpuAddress and pointers in structures
    if (version < kOldest) misuse("language version {:#x}: kernels need Metal 3.0", version);
}

Function* Library::new_function(const String* name) {
    if (name == nullptr) misuse("newFunctionWithName: nil");
    for (const KernelEntry* kernel = kernels_; kernel->name != nullptr; ++kernel) {
        if (name->text() == kernel->name) return new Function(kernel);
    }
    return nullptr;
}

Array* Library::function_names() const {
    std::vector<Ref<Object>> names;
    for (const KernelEntry* kernel = kernels_; kernel->name != nullptr; ++kernel)
        names.push_back(owned<Object>(new String(kernel->name)));
    return autoreleased(new Array(std::move(names)));
}

Library* new_library_from_text(const std::string& text, Object** error) {
    const Options now = options();
    ++atomic_counts().libraries;
    sleep_while_compiling(now.compile_ms);
    std::string messages = now.compile_error;
    fs::path library;
    if (messages.empty()) library = compile(now.alter_text ? now.alter_text(text) : text, messages);
    if (library.empty()) {
        report(error, kLibraryErrors, kCompileFailure, messages);
        return nullptr;
    }
    return new Library(load(library));
}

Pipeline* new_pipeline(const Function* function, Object** error) {
    if (function == nullptr) misuse("newComputePipelineStateWithFunction: nil");
    if (options().failing_pipeline == function->kernel()->name) {
        report(error, "AGXMetal", kPipelineFailure, "Compiler encountered an internal error");
        return nullptr;
    }
    return new Pipeline(function->kernel());
}

void register_library() {
    class_named("MTLCompileOptions")
        .add_static<&make<CompileOptions>>("alloc")
        .add<&CompileOptions::set_language_version>("setLanguageVersion:")
        .add<&CompileOptions::set_math_mode>("setMathMode:")
        .add<&CompileOptions::set_fast_math>("setFastMathEnabled:");
    class_named("MTLLibrary")
        .add<&Library::new_function>("newFunctionWithName:")
        .add<&Library::function_names>("functionNames")
        .add<&Library::set_label>("setLabel:");
    class_named("MTLFunction").add<&Function::name>("name");
    class_named("MTLComputePipelineState")
        .add<&Pipeline::max_threads>("maxTotalThreadsPerThreadgroup")
        .add<&Pipeline::simd_width>("threadExecutionWidth")
        .add<&Pipeline::threadgroup_bytes>("staticThreadgroupMemoryLength");
}

}  // namespace fake_metal
