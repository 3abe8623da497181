#include "backend/gpu/compiled/metal/metal_gpus.hpp"

namespace whorl::gpu::metal {

std::unique_ptr<Runtime> make_runtime(unsigned index) {
    return make_runtime(index, kernel_text());
}

}  // namespace whorl::gpu::metal
