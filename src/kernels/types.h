// What host code and kernels both see: the words that parameters are made of, and how kernels are listed.
//
// Each kernel file foo.h has a foo_params.h with its parameter structures and its list,
//   #define WH_FOO_KERNELS(X) X(name, Params, threads, WH_BARRIERS or WH_NO_BARRIERS, access)
// from which every runtime makes its table of kernels and the host its handles (kernels/all.h).
// `access` has a letter for each u64 field, in order, for what the kernel does with the memory there: r reads it, w writes
// it, x both; t reads it and the memory whose addresses it finds in there, T also writes all that; - it is no address.
// Parameter structures hold u64 fields first, then u32: the same layout for every compiler.
#ifndef WHORL_KERNELS_TYPES_H
#define WHORL_KERNELS_TYPES_H

#if defined(__METAL_VERSION__)
#include <metal_stdlib>
using namespace metal;
typedef uint u32;
typedef ulong u64;
typedef int i32;
typedef long i64;
#else
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
typedef long long i64;
#endif

#define WH_BARRIERS true
#define WH_NO_BARRIERS false

// An extension element among parameters (four Montgomery words).
struct ExtParam {
    u32 c[4];
};

// Where a thread stands: its number and the number of threads in its threadgroup, the group's number and their count.
struct Thread {
    u32 tid;
    u32 size;
    u32 group;
    u32 groups;
};

#endif
