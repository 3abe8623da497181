// What the program needs of its process before it works.
#pragma once

namespace whorl::cli {

/// Makes sure that the numbers of the standard streams are taken, so that no file of ours becomes standard output or
/// standard error; has temporary files removed when a signal ends the program; turns a file size limit into an error of
/// write(2).
void prepare_process() noexcept;

}  // namespace whorl::cli
