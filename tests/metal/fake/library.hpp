// Libraries, functions and pipelines: text compiled by ../msl_compile.py and loaded.
#pragma once

#include <string>
#include <vector>

#include "foundation.hpp"
#include "kernel_table.hpp"
#include "object.hpp"

namespace fake_metal {

class CompileOptions final : public Object {
public:
    CompileOptions() : Object("MTLCompileOptions") {}
    void set_language_version(std::uint64_t version);
    void set_math_mode(std::int64_t) {}  // kernels have no floating point
    void set_fast_math(bool) {}
};

class Function final : public Object {
public:
    explicit Function(const KernelEntry* kernel) : Object("MTLFunction"), kernel_(kernel) {}
    const KernelEntry* kernel() const { return kernel_; }
    String* name() const { return make_string(kernel_->name); }

private:
    const KernelEntry* kernel_;
};

class Library final : public Object {
public:
    explicit Library(const KernelEntry* kernels) : Object("MTLLibrary"), kernels_(kernels) {}
    Function* new_function(const String* name);
    Array* function_names() const;
    void set_label(const String*) {}

private:
    const KernelEntry* kernels_;  // of code that stays loaded
};

/// Null with an error where the text does not compile.
Library* new_library_from_text(const std::string& text, Object** error);

class Pipeline final : public Object {
public:
    explicit Pipeline(const KernelEntry* kernel) : Object("MTLComputePipelineState"), kernel_(kernel) {}
    ~Pipeline() override { check_unused(*this); }
    const KernelEntry* kernel() const { return kernel_; }
    std::size_t max_threads() const { return kernel_->max_threads; }
    std::size_t simd_width() const { return 32; }
    std::size_t threadgroup_bytes() const { return kernel_->threadgroup_bytes; }

private:
    const KernelEntry* kernel_;
};

Pipeline* new_pipeline(const Function* function, Object** error);

}  // namespace fake_metal
