// OpenVM's instructions for input, output and the end of a program, for freestanding C.
#pragma once

#include <stdint.h>

// Takes up the next input: words that follow are its number of bytes, then the bytes, four a word.
static inline void openvm_next_input(void) {
    __asm__ volatile(".insn i 0x0b, 3, x0, x0, 0");
}
static inline uint32_t openvm_read_word(void) {
    uint32_t word;
    __asm__ volatile(".insn i 0x0b, 1, %0, x0, 0" ::"r"(&word) : "memory");
    return word;
}
// Makes a word public: 32 bytes are, and index counts words.
static inline void openvm_reveal(uint32_t index, uint32_t word) {
    __asm__ volatile(".insn i 0x0b, 2, %0, %1, 0" ::"r"(4 * index), "r"(word));
}
// Ends the program: with 0 as a success, else as a failure, of which there is no proof.
#define OPENVM_EXIT(code)                                            \
    do {                                                             \
        __asm__ volatile(".insn i 0x0b, 0, x0, x0, %0" ::"i"(code)); \
        __builtin_unreachable();                                     \
    } while (0)
