// Matrices to be filled.
#pragma once

#include <cstddef>
#include <new>

#include <whorl/trace.hpp>

namespace whorl {

/// All elements 0. Throws std::bad_alloc, as all that makes traces does.
inline Matrix zeros(std::size_t width, std::size_t height) {
    Matrix matrix(width, height);
    if (!matrix.is_valid()) throw std::bad_alloc();
    return matrix;
}

}  // namespace whorl
