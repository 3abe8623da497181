// What ../shim/metal_stdlib declares, for kernels that run on the host. msl_compile.py puts it behind the kernels.

extern "C" void fake_metal_barrier();

namespace metal {

uint4 make_uint4(uint x, uint y, uint z, uint w) {
    return (uint4)(x, y, z, w);
}
void threadgroup_barrier(mem_flags) {
    fake_metal_barrier();
}

int min(int x, int y) {
    return x < y ? x : y;
}
uint min(uint x, uint y) {
    return x < y ? x : y;
}
int mulhi(int x, int y) {
    return static_cast<int>((static_cast<long>(x) * y) >> 32);
}
uint mulhi(uint x, uint y) {
    return static_cast<uint>((static_cast<ulong>(x) * y) >> 32);
}
uint reverse_bits(uint x) {
    return __builtin_bitreverse32(x);
}

uint atomic_fetch_add_explicit(device atomic_uint* at, uint x, memory_order) {
    return __atomic_fetch_add(&at->value, x, __ATOMIC_RELAXED);
}
uint atomic_fetch_min_explicit(device atomic_uint* at, uint x, memory_order) {
    return __atomic_fetch_min(&at->value, x, __ATOMIC_RELAXED);
}

}  // namespace metal

// The three components at `words`.
static uint3 fake_metal_triple(const device uint* words) {
    return (uint3)(words[0], words[1], words[2]);
}
// Where thread `index` of a threadgroup of `size` threads stands in it.
static uint3 fake_metal_position(uint index, uint3 size) {
    return (uint3)(index % size.x, index / size.x % size.y, index / (size.x * size.y));
}
