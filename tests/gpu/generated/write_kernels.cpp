// Writes generated kernels of keys, listed in WH_GENERATED_KERNELS as WH_ALL_KERNELS lists those of src/kernels:
//
//   write_generated_kernels OUTPUT MAX_KERNELS vk.postcard…
//
// At most MAX_KERNELS of each program. Prints what there would be without that limit.
#include <whorl/key.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "backend/gpu/generated.hpp"
#include "engine/files.hpp"

namespace whorl::gpu {
namespace {

struct Written {
    std::string text, list;
    std::set<std::string> names;
};

void write_kernels(const VerifyingKey& vk, std::size_t max_kernels, const char* path, Written& out) {
    using Clock = std::chrono::steady_clock;
    std::size_t num_bytes = 0, num_kernels = 0, num_chunks = 0, num_instructions = 0;
    Clock::duration time{};
    for (const AirVerifyingKey& air : vk.airs) {
        const AirPrograms programs(air);
        for (const ChunkedProgram* program : {&programs.zerocheck, &programs.logup}) {
            const Clock::time_point start = Clock::now();
            const std::vector<GeneratedKernel> kernels =
                generate_coset_kernels(air, *program, GenerationOptions().max_kernel_instructions);
            time += Clock::now() - start;
            for (std::size_t k = 0; k < kernels.size(); ++k) {
                num_bytes += kernels[k].text.size();
                num_chunks += kernels[k].num_chunks;
                num_instructions += kernels[k].num_instructions;
                if (k >= max_kernels || !out.names.insert(kernels[k].name).second) continue;
                out.text += kernels[k].text;
                out.list += fmt::format(" \\\n    X({}, EvaluateParams, 256, WH_BARRIERS, \"T\")", kernels[k].name);
            }
            num_kernels += kernels.size();
        }
    }
    fmt::print("{}: {} kernels of {} chunks, {} instructions, {} bytes, made in {:.1f} ms\n", path, num_kernels,
               num_chunks, num_instructions, num_bytes, std::chrono::duration<double, std::milli>(time).count());
}

int run(int argc, char** argv) {
    if (argc < 4) {
        fmt::print(stderr, "usage: {} OUTPUT MAX_KERNELS KEY...\n", argv[0]);
        return 2;
    }
    Written out;
    for (int i = 3; i < argc; ++i) {
        const auto bytes = read_file(argv[i], kKeyLimit);
        const auto vk = bytes ? decode_verifying_key(*bytes) : Result<VerifyingKey>(bytes.error());
        if (!vk) {
            fmt::print(stderr, "{}: {}\n", argv[i], to_string(vk.error()));
            return 1;
        }
        write_kernels(*vk, std::strtoull(argv[2], nullptr, 10), argv[i], out);
    }
    std::ofstream file(argv[1], std::ios::binary);
    // Names have a hash in them.
    file << "// NOLINTBEGIN(readability-identifier-naming)\n"
         << out.text << "// NOLINTEND(readability-identifier-naming)\n#define WH_GENERATED_KERNELS(X)" << out.list
         << '\n';
    return file.flush() ? 0 : 1;
}

}  // namespace
}  // namespace whorl::gpu

int main(int argc, char** argv) {
    return whorl::gpu::run(argc, argv);
}
