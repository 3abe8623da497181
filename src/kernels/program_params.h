// Constraint programs as kernels run them (backend/gpu/programs.hpp makes them): instructions of four words
// {operation, destination, a, b} over registers, inputs and constants. What several kernel files take; no kernels here.
#ifndef WHORL_KERNELS_PROGRAM_PARAMS_H
#define WHORL_KERNELS_PROGRAM_PARAMS_H

#include "kernels/types.h"

enum ProgramOperation {
    kProgramAdd = 0,         // destination = a + b
    kProgramSub = 1,         // destination = a − b
    kProgramMul = 2,         // destination = a · b
    kProgramScale = 3,       // destination = a · b, b a constant
    kProgramAccumulate = 4,  // sum += coefficient b · a
    kProgramStore = 5,       // stored = a
};

// An operand: its kind in the upper three bits, an index below.
enum ProgramOperand {
    kOperandRegister = 0,
    kOperandPrevious = 1,  // the result of the last instruction that had one
    kOperandInput = 2,
    kOperandConstant = 3,
    kOperandSpilled = 4,  // a register in memory
    kOperandCoefficient = 5,
    kOperandKindShift = 29,
    kOperandIndexMask = (1 << 29) - 1,
};

// Registers of a thread's own; further destinations lie in memory.
enum ProgramLimits {
    kLocalRegisters = 16,
    kNoRegister = (1 << 29) - 1,  // a result that only the next instructions use, as the previous one
    kProgramPadding = 1,          // instructions behind the last that are read, not run
};

// A program small enough for one thread, part of a larger one.
struct ProgramChunk {
    u32 first_instruction;
    u32 num_instructions;
    u32 first_coefficient;
    u32 sum;
};

// A column of a trace, or a selector of its rows, as an input.
enum InputColumnKind { kInputColumn = 0, kInputFirstRow = 1, kInputLastRow = 2, kInputTransition = 3 };
struct InputColumn {
    u64 address;  // of row 0
    u32 kind;
    u32 offset;  // rows that values are read ahead
};

#endif
