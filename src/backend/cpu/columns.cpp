#include "backend/cpu/columns.hpp"

#include <algorithm>

#include "backend/cpu/interpreter.hpp"

namespace whorl::cpu {

ColumnView column_of(const ProverInput& input, std::uint32_t trace, const Variable& variable) {
    const Matrix& part = input.part(input.part_of(trace, variable));
    return {column_words(part, variable.index), part.height()};
}

InputReader::InputReader(const ProverInput& input, std::uint32_t trace, const ConstraintProgram& program)
    : height_(input.traces[trace]->height()) {
    for (const ConstraintProgram::Input& in : program.inputs) {
        Source source{in.kind, {}, in.variable.offset};
        if (in.kind == ConstraintProgram::Input::Kind::kVariable) source.column = column_of(input, trace, in.variable);
        sources_.push_back(source);
    }
}

void InputReader::read_rows(std::size_t first, std::size_t count, std::uint32_t* inputs) const {
    using Kind = ConstraintProgram::Input::Kind;
    const std::uint32_t one = Fp::one().montgomery();
    for (const Source& source : sources_) {
        std::uint32_t* out = inputs;
        inputs += kBaseBlock;
        std::fill(out + count, out + kBaseBlock, 0);
        const bool has_last = first + count == height_;
        switch (source.kind) {
            case Kind::kIsFirstRow:
                std::fill_n(out, count, 0);
                if (first == 0) out[0] = one;
                break;
            case Kind::kIsLastRow:
                std::fill_n(out, count, 0);
                if (has_last) out[count - 1] = one;
                break;
            case Kind::kIsTransition:
                std::fill_n(out, count, one);
                if (has_last) out[count - 1] = 0;
                break;
            case Kind::kVariable: {
                const std::size_t begin = first + source.offset;
                const std::size_t straight = std::min(count, height_ - std::min(begin, height_));
                std::copy_n(source.column.words + begin, straight, out);
                for (std::size_t i = straight; i < count; ++i)
                    out[i] = source.column.words[(begin + i) & (height_ - 1)];
                break;
            }
        }
    }
}

}  // namespace whorl::cpu
