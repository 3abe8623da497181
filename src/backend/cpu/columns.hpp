// Finds the trace columns behind a program's inputs.
#pragma once

#include <cstdint>
#include <vector>

#include "air/program.hpp"
#include "backend/cpu/tile.hpp"
#include "prover/input.hpp"

namespace whorl::cpu {

/// The words of a trace column; Fp is a single word.
inline const std::uint32_t* column_words(const Matrix& matrix, std::size_t column) {
    static_assert(sizeof(Fp) == sizeof(std::uint32_t));
    return reinterpret_cast<const std::uint32_t*>(matrix.column(column).data());
}

/// The column that a variable of trace t reads (its offset aside).
ColumnView column_of(const ProverInput& input, std::uint32_t trace, const Variable& variable);

/// A program's inputs on the rows of one trace.
class InputReader {
public:
    InputReader(const ProverInput& input, std::uint32_t trace, const ConstraintProgram& program);

    /// Slot i of `inputs` (kBaseBlock words) receives rows [first, first + count); other words are zeroed.
    void read_rows(std::size_t first, std::size_t count, std::uint32_t* inputs) const;

private:
    struct Source {
        ConstraintProgram::Input::Kind kind;
        ColumnView column;
        std::size_t offset;
    };
    std::vector<Source> sources_;
    std::size_t height_;
};

}  // namespace whorl::cpu
