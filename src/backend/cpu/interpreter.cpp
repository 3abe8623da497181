#include "backend/cpu/interpreter.hpp"

#include "field/simd.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/interpreter.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target comes first
#include <hwy/highway.h>
#include "field/packed-inl.hpp"
// clang-format on

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace whorl {
namespace HWY_NAMESPACE {
namespace {

using cpu::kBaseBlock;
using cpu::kExtBlock;
using cpu::kExtSlot;
using cpu::ProgramArgs;
using Op = ConstraintProgram::Op;

void RunBase(const ProgramArgs& args, const std::uint32_t* inputs, std::uint32_t* registers, std::uint32_t* sums,
             std::uint32_t* const* outputs) {
    const ConstraintProgram& program = *args.program;
    const std::uint32_t num_inputs = program.num_inputs();
    const auto operand = [&](std::uint32_t i) HWY_ATTR {
        return i < num_inputs ? inputs + std::size_t{i} * kBaseBlock
                              : registers + std::size_t{i - num_inputs} * kBaseBlock;
    };
    const std::size_t lanes = num_lanes();
    for (std::uint32_t f = 0; f < program.num_sums; ++f) {
        for (unsigned c = 0; c < 4; ++c) {
            std::fill_n(sums + (f * 4 + c) * kBaseBlock, kBaseBlock, args.sum_constants[f].c[c].montgomery());
        }
    }
    for (const ConstraintProgram::Instruction& ins : program.code) {
        const std::uint32_t* a = operand(ins.a);
        if (ins.op == Op::kAccumulate) {
            const V4 k = broadcast4(args.coefficients[ins.b]);
            std::uint32_t* s = sums + std::size_t{ins.dst} * 4 * kBaseBlock;
            for (std::size_t x = 0; x < kBaseBlock; x += lanes) {
                const V v = load(a + x);
                store4(add4(load4(s + x, kBaseBlock), mul4_base(k, v)), s + x, kBaseBlock);
            }
            continue;
        }
        if (ins.op == Op::kStore) {
            for (std::size_t x = 0; x < kBaseBlock; x += lanes) store(load(a + x), outputs[ins.dst] + x);
            continue;
        }
        std::uint32_t* dst = registers + std::size_t{ins.dst - num_inputs} * kBaseBlock;
        switch (ins.op) {
            case Op::kAdd: {
                const std::uint32_t* b = operand(ins.b);
                for (std::size_t x = 0; x < kBaseBlock; x += lanes) store(add(load(a + x), load(b + x)), dst + x);
                break;
            }
            case Op::kSub: {
                const std::uint32_t* b = operand(ins.b);
                for (std::size_t x = 0; x < kBaseBlock; x += lanes) store(sub(load(a + x), load(b + x)), dst + x);
                break;
            }
            case Op::kMul: {
                const std::uint32_t* b = operand(ins.b);
                for (std::size_t x = 0; x < kBaseBlock; x += lanes) store(mul(load(a + x), load(b + x)), dst + x);
                break;
            }
            case Op::kNeg:
                for (std::size_t x = 0; x < kBaseBlock; x += lanes) store(neg(load(a + x)), dst + x);
                break;
            case Op::kAddConstant: {
                const V k = broadcast(args.constants[ins.b]);
                for (std::size_t x = 0; x < kBaseBlock; x += lanes) store(add(load(a + x), k), dst + x);
                break;
            }
            case Op::kConstantMinus: {
                const V k = broadcast(args.constants[ins.b]);
                for (std::size_t x = 0; x < kBaseBlock; x += lanes) store(sub(k, load(a + x)), dst + x);
                break;
            }
            case Op::kMulConstant: {
                const V k = broadcast(args.constants[ins.b]);
                for (std::size_t x = 0; x < kBaseBlock; x += lanes) store(mul(load(a + x), k), dst + x);
                break;
            }
            case Op::kAccumulate:
            case Op::kStore:
                break;
        }
    }
}

void RunExt(const ProgramArgs& args, const std::uint32_t* inputs, std::uint32_t* registers, std::uint32_t* sums) {
    const ConstraintProgram& program = *args.program;
    const std::uint32_t num_inputs = program.num_inputs();
    const auto operand = [&](std::uint32_t i) HWY_ATTR {
        return i < num_inputs ? inputs + std::size_t{i} * kExtSlot : registers + std::size_t{i - num_inputs} * kExtSlot;
    };
    const std::size_t lanes = num_lanes();
    for (std::uint32_t f = 0; f < program.num_sums; ++f) {
        for (unsigned c = 0; c < 4; ++c) {
            std::fill_n(sums + (f * 4 + c) * kExtBlock, kExtBlock, args.sum_constants[f].c[c].montgomery());
        }
    }
    for (const ConstraintProgram::Instruction& ins : program.code) {
        const std::uint32_t* a = operand(ins.a);
        if (ins.op == Op::kAccumulate) {
            const V4 k = broadcast4(args.coefficients[ins.b]);
            std::uint32_t* s = sums + std::size_t{ins.dst} * kExtSlot;
            for (std::size_t x = 0; x < kExtBlock; x += lanes) {
                store4(add4(load4(s + x, kExtBlock), mul4(k, load4(a + x, kExtBlock))), s + x, kExtBlock);
            }
            continue;
        }
        std::uint32_t* dst = registers + std::size_t{ins.dst - num_inputs} * kExtSlot;
        const std::uint32_t* b =
            ins.op == Op::kAdd || ins.op == Op::kSub || ins.op == Op::kMul ? operand(ins.b) : nullptr;
        for (std::size_t x = 0; x < kExtBlock; x += lanes) {
            V4 v = load4(a + x, kExtBlock);
            switch (ins.op) {
                case Op::kAdd:
                    v = add4(v, load4(b + x, kExtBlock));
                    break;
                case Op::kSub:
                    v = sub4(v, load4(b + x, kExtBlock));
                    break;
                case Op::kMul:
                    v = mul4(v, load4(b + x, kExtBlock));
                    break;
                case Op::kNeg:
                    v = neg4(v);
                    break;
                case Op::kAddConstant:
                    v.c0 = add(v.c0, broadcast(args.constants[ins.b]));
                    break;
                case Op::kConstantMinus:
                    v = neg4(v);
                    v.c0 = add(v.c0, broadcast(args.constants[ins.b]));
                    break;
                case Op::kMulConstant:
                    v = mul4_base(v, broadcast(args.constants[ins.b]));
                    break;
                case Op::kAccumulate:
                case Op::kStore:
                    break;
            }
            store4(v, dst + x, kExtBlock);
        }
    }
}

void AddWeightedSums(const std::uint32_t* sums, std::size_t num_sums, std::size_t block, const std::uint32_t* weights,
                     std::size_t stride, Fp4* totals) {
    for (std::size_t f = 0; f < num_sums; ++f) {
        V4 acc = zero4();
        for (std::size_t x = 0; x < block; x += num_lanes()) {
            acc = add4(acc, mul4(load4(sums + f * 4 * block + x, block), load4(weights + x, stride)));
        }
        totals[f] += sum_lanes4(acc);
    }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whorl
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl {
HWY_EXPORT(RunBase);
HWY_EXPORT(RunExt);
HWY_EXPORT(AddWeightedSums);
}  // namespace whorl

namespace whorl::cpu {

void run_base(const ProgramArgs& args, const std::uint32_t* inputs, std::uint32_t* registers, std::uint32_t* sums,
              std::span<std::uint32_t* const> outputs) {
    HWY_DYNAMIC_DISPATCH(RunBase)(args, inputs, registers, sums, outputs.data());
}

void run_ext(const ProgramArgs& args, const std::uint32_t* inputs, std::uint32_t* registers, std::uint32_t* sums) {
    HWY_DYNAMIC_DISPATCH(RunExt)(args, inputs, registers, sums);
}

void add_weighted_sums(const std::uint32_t* sums, std::size_t num_sums, std::size_t block, const std::uint32_t* weights,
                       std::size_t stride, Fp4* totals) {
    HWY_DYNAMIC_DISPATCH(AddWeightedSums)(sums, num_sums, block, weights, stride, totals);
}

std::vector<Fp> program_constants(const ConstraintProgram& program, std::span<const Fp> node_values) {
    std::vector<Fp> out;
    out.reserve(program.constants.size());
    for (const auto& c : program.constants) out.push_back(c.is_negated ? -node_values[c.node] : node_values[c.node]);
    return out;
}

}  // namespace whorl::cpu
#endif
