// Counts the primes below a number that it reads, and reveals the count and the largest one.
#include "openvm.h"

#define MAX_NUMBER (1u << 20)

static uint8_t composite[MAX_NUMBER];

__attribute__((naked, section(".text._start"))) void _start(void) {
    __asm__ volatile("li sp, 0x200400\n"
                     "call run\n");
}

__attribute__((used)) void run(void) {
    openvm_next_input();
    const uint32_t num_bytes = openvm_read_word();
    const uint32_t limit = openvm_read_word();
    if (num_bytes != 4 || limit > MAX_NUMBER) OPENVM_EXIT(1);
    uint32_t count = 0, largest = 0;
    for (uint32_t n = 2; n < limit; ++n) {
        if (composite[n]) continue;
        ++count;
        largest = n;
        for (uint32_t m = n * n; n < 1024 && m < limit; m += n) composite[m] = 1;
    }
    openvm_reveal(0, count);
    openvm_reveal(1, largest);
    OPENVM_EXIT(0);
}
