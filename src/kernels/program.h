// Runs constraint programs: one thread evaluates four neighbouring points over the base field, or one point over the
// extension. Registers are words of the thread; what all threads of a group decode is the same. Generated kernels
// (backend/gpu/generated.hpp) call the operations themselves.
#ifndef WHORL_KERNELS_PROGRAM_H
#define WHORL_KERNELS_PROGRAM_H

#include "kernels/field.h"
#include "kernels/program_params.h"

WH_FN u64 word_pair(Words words, u64 i) {
    return words[i] | (static_cast<u64>(words[i + 1]) << 32);
}

// Where the job of `group` starts: the last of `count` jobs of `size` words whose first group, at `group_word`, is not after it.
WH_FN u64 find_job(Words jobs, u32 count, u32 size, u32 group_word, u32 group) {
    u32 low = 0;
    for (u32 high = count; high - low > 1;) {
        const u32 middle = (low + high) / 2;
        if (jobs[static_cast<u64>(middle) * size + group_word] <= group) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return static_cast<u64>(low) * size;
}

// A chunk and what it needs besides inputs.
struct Program {
    Words code;
    Words coefficients;
    Words constants;
    u64 spilled;         // address of the registers in memory
    u64 spilled_stride;  // threads that have such registers
    u64 spilled_thread;  // this one's number among them
    u32 first;
    u32 count;
};
// A chunk of a job of round 0 or of a later round, for thread t of the job's groups.
template <class Job>
WH_FN Program job_program(Job job, u32 chunk_index, Thread t) {
    const Word4 chunk = load4(words_at(job.chunks), chunk_index);
    const Program out = {words_at(job.code),
                         words_at(job.coefficients) + 4 * static_cast<u64>(chunk.w[2]),
                         words_at(job.constants),
                         job.spilled,
                         static_cast<u64>(job.num_groups) * t.size,
                         static_cast<u64>(t.group - job.first_group) * t.size + t.tid,
                         chunk.w[0],
                         chunk.w[1]};
    return out;
}

// Inputs of four points: rows of a matrix [input][points].
struct CosetInputs {
    Words rows;
    u64 stride;  // points in fours
    u64 quad;
};
WH_FN Word4 read_input(CosetInputs in, u32 i) {
    return load4(in.rows, i * in.stride + in.quad);
}

// Inputs of four neighbouring rows of a trace, cyclically repeated. Precondition: row is a multiple of 4.
struct RowInputs {
    Words columns;  // InputColumn
    u32 row;
    u32 mask;  // height − 1
};
// column: an InputColumn.
WH_FN u32 read_row(Word4 column, u32 row, u32 mask) {
    const u32 at = (row + column.w[3]) & mask;
    const u32 kind = column.w[2];
    if (kind == kInputColumn) return words_at(column.w[0] | (static_cast<u64>(column.w[1]) << 32))[at];
    const bool is_one = kind == kInputFirstRow ? at == 0 : (at == mask) == (kind == kInputLastRow);
    return is_one ? kOne : 0;
}
WH_FN Word4 read_rows(Word4 column, u32 row, u32 mask) {
    if (column.w[2] == kInputColumn && column.w[3] == 0 && mask >= 3) {
        return load4(words_at(column.w[0] | (static_cast<u64>(column.w[1]) << 32)), (row & mask) / 4);
    }
    Word4 out;
    for (u32 k = 0; k < 4; ++k) out.w[k] = read_row(column, row + k, mask);
    return out;
}
WH_FN Word4 read_input(RowInputs in, u32 i) {
    return read_rows(load4(in.columns, i), in.row, in.mask);
}

// Four points' sums, and what the program stored.
struct Quad {
    Ext sums[4];
    Word4 stored;
};

WH_FN Word4 word4_from(u32 value) {
    const Word4 out = {{value, value, value, value}};
    return out;
}
WH_FN Word4 word4_add(Word4 a, Word4 b) {
    for (u32 k = 0; k < 4; ++k) a.w[k] = fp_add(a.w[k], b.w[k]);
    return a;
}
WH_FN Word4 word4_sub(Word4 a, Word4 b) {
    for (u32 k = 0; k < 4; ++k) a.w[k] = fp_sub(a.w[k], b.w[k]);
    return a;
}
WH_FN Word4 word4_mul(Word4 a, Word4 b) {
    for (u32 k = 0; k < 4; ++k) a.w[k] = fp_mul(a.w[k], b.w[k]);
    return a;
}
WH_FN Quad empty_quad() {
    Quad out;
    for (u32 k = 0; k < 4; ++k) out.sums[k] = ext_zero();
    out.stored = word4_from(0);
    return out;
}
WH_FN Quad add_term(Quad out, Program program, u32 coefficient_index, Word4 values) {
    const Ext coefficient = load_ext(program.coefficients, coefficient_index);
    for (u32 k = 0; k < 4; ++k) out.sums[k] = ext_add(out.sums[k], ext_scale(coefficient, values.w[k]));
    return out;
}

template <class Inputs>
WH_FN Quad run_quad(Program program, Inputs inputs) {
    Word4 registers[kLocalRegisters];
    Word4 previous = word4_from(0);
    Quad out = empty_quad();
    Word4 next = load4(program.code, program.first);
    for (u32 i = 0; i < program.count; ++i) {
        const Word4 instruction = next;
        next = load4(program.code, program.first + i + 1);
        Word4 operands[2] = {previous, previous};
        for (u32 k = 0; k < 2; ++k) {
            const u32 kind = instruction.w[2 + k] >> kOperandKindShift;
            const u32 index = instruction.w[2 + k] & kOperandIndexMask;
            if (kind == kOperandPrevious) continue;
            if (kind == kOperandInput) {
                operands[k] = read_input(inputs, index);
            } else if (kind == kOperandRegister) {
                operands[k] = registers[index];
            } else if (kind == kOperandConstant) {
                operands[k] = word4_from(program.constants[index]);
            } else if (kind == kOperandSpilled) {
                operands[k] = load4(words_at(program.spilled), index * program.spilled_stride + program.spilled_thread);
            }
        }
        const Word4 a = operands[0];
        const Word4 b = operands[1];
        const u32 operation = instruction.w[0];
        const u32 destination = instruction.w[1];
        if (operation == kProgramAccumulate) {
            out = add_term(out, program, instruction.w[3] & kOperandIndexMask, a);
            continue;
        }
        if (operation == kProgramStore) {
            out.stored = a;
            continue;
        }
        if (operation == kProgramAdd) {
            previous = word4_add(a, b);
        } else if (operation == kProgramSub) {
            previous = word4_sub(a, b);
        } else {
            previous = word4_mul(a, b);
        }
        if (destination < kLocalRegisters) {
            registers[destination] = previous;
        } else if (destination != kNoRegister) {
            store4(words_at(program.spilled),
                   (destination - kLocalRegisters) * program.spilled_stride + program.spilled_thread, previous);
        }
    }
    return out;
}

// Inputs at X of the lines through the rows 2y (at 0) and 2y + 1 (at 1) of tables.
struct PairInputs {
    Words tables;  // [table][2·pairs] extension elements
    Words rows;    // the table of each input
    u64 pairs;
    u64 pair;
    u32 x_minus_1;  // Montgomery form
};
WH_FN Ext read_input(PairInputs in, u32 i) {
    const u64 at = 2 * (in.rows[i] * in.pairs + in.pair);
    const Ext odd = load_ext(in.tables, at + 1);
    if (in.x_minus_1 == 0) return odd;
    const Ext step = ext_sub(odd, load_ext(in.tables, at));
    if (in.x_minus_1 == kOne) return ext_add(odd, step);
    return ext_add(odd, ext_scale(step, in.x_minus_1));
}

// The program's sum at one point.
WH_FN Ext run_ext(Program program, PairInputs inputs) {
    Ext registers[kLocalRegisters];
    Ext previous = ext_zero();
    Ext sum = ext_zero();
    Word4 next = load4(program.code, program.first);
    for (u32 i = 0; i < program.count; ++i) {
        const Word4 instruction = next;
        next = load4(program.code, program.first + i + 1);
        Ext operands[2] = {previous, previous};
        for (u32 k = 0; k < 2; ++k) {
            const u32 kind = instruction.w[2 + k] >> kOperandKindShift;
            const u32 index = instruction.w[2 + k] & kOperandIndexMask;
            if (kind == kOperandPrevious) continue;
            if (kind == kOperandInput) {
                operands[k] = read_input(inputs, index);
            } else if (kind == kOperandRegister) {
                operands[k] = registers[index];
            } else if (kind == kOperandConstant) {
                operands[k] = ext_from(program.constants[index]);
            } else if (kind == kOperandCoefficient) {
                operands[k] = load_ext(program.coefficients, index);
            } else {
                operands[k] =
                    load_ext(words_at(program.spilled), index * program.spilled_stride + program.spilled_thread);
            }
        }
        const Ext a = operands[0];
        const Ext b = operands[1];
        const u32 operation = instruction.w[0];
        const u32 destination = instruction.w[1];
        if (operation == kProgramAccumulate) {
            sum = ext_add(sum, ext_mul(a, b));
            continue;
        }
        if (operation == kProgramAdd) {
            previous = ext_add(a, b);
        } else if (operation == kProgramSub) {
            previous = ext_sub(a, b);
        } else if (operation == kProgramScale) {
            previous = ext_scale(a, b.c[0]);
        } else {
            previous = ext_mul(a, b);
        }
        if (destination < kLocalRegisters) {
            registers[destination] = previous;
        } else if (destination != kNoRegister) {
            store_ext(words_at(program.spilled),
                      (destination - kLocalRegisters) * program.spilled_stride + program.spilled_thread, previous);
        }
    }
    return sum;
}

#endif
