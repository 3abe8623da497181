// The `whorl` program, as a function.
#pragma once

namespace whorl {

/// Runs the program: 0 done, 1 a rejected proof or traces that break a constraint, 2 bad input or usage, 3 the machine
/// (memory, a device that is not there) or a bug. Never throws.
int run_program(int argc, char** argv);

}  // namespace whorl
