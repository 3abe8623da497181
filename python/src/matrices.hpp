// Columns that Python and whorl share.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/trace.hpp>

namespace whorl::python {

/// A matrix whose elements lie in memory that this object, or the owner of an array, keeps. view() is a matrix of the place:
/// copies of it are cheap, and good for as long as this object lives.
class HeldMatrix {
public:
    HeldMatrix(std::shared_ptr<const void> owner, Matrix view) : owner_(std::move(owner)), view_(std::move(view)) {}

    const Matrix& view() const { return view_; }

private:
    std::shared_ptr<const void> owner_;
    Matrix view_;
};

/// A matrix in memory of its own.
HeldMatrix hold(Matrix&& matrix);

/// The elements, which are on the host, in memory of their own. Errors: kMachine (memory).
Result<Matrix> copy_of(const Matrix& matrix);

/// The traces that Python's `traces` (objects of whorl.Trace) stand for; they hold what they refer to no longer than those do.
std::vector<AirTrace> to_traces(nanobind::handle traces);
/// A list of tuples (air_id, main, cached, preprocessed, public_values) with the elements of `traces`.
nanobind::list from_traces(std::vector<AirTrace>&& traces);

void bind_matrices(nanobind::module_& module);

}  // namespace whorl::python
