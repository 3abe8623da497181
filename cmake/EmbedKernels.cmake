# Writes kernel_text() of src/backend/gpu/compiled/metal/metal_gpus.hpp: a text of kernels and, where LIBRARY is not empty, the
# library that Metal's compiler made of it.
#
#   cmake -D TEXT=kernels.metal -D LIBRARY=kernels.metallib -D OUTPUT=kernel_text.cpp -P cmake/EmbedKernels.cmake

cmake_minimum_required(VERSION 3.25)

file(READ ${TEXT} text)
set(definition "")
set(library "{}")
if(LIBRARY)
  file(READ ${LIBRARY} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "((0x..,){24})" "\\1\n" bytes "${bytes}")
  set(definition "constexpr unsigned char kLibrary[] = {\n${bytes}};\n\n")
  set(library "std::as_bytes(std::span(kLibrary))")
endif()
file(WRITE ${OUTPUT} "#include \"backend/gpu/compiled/metal/metal_gpus.hpp\"

namespace whorl::gpu::metal {
namespace {

constexpr std::string_view kText = R\"metal(${text})metal\";

${definition}}  // namespace

KernelText kernel_text() {
    return {kText, ${library}};
}

}  // namespace whorl::gpu::metal
")
